#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tine/fork_options.hpp"
#include "uv/subprocess.hpp"

namespace tine::process {

// What fork() is asked for, in the words of the layers below.
struct ForkPlan {
  uv::SubprocessOptions subprocess;  // but for the descriptors of pipes and the channel
  std::vector<Stdio> stdio;
  int channel_slot;
};

// `worker` is the child's number, if it is a worker of a cluster.
ForkPlan plan_fork(const std::filesystem::path& module, const ForkOptions& options,
                   std::optional<int> worker);

// Throws Error if the plan cannot be carried out, whatever the system says, because of `options`.
void refuse_wrong(const ForkPlan& plan, const ForkOptions& options);

}  // namespace tine::process
