#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "spawn/subprocess.hpp"
#include "tine/fork_options.hpp"

namespace tine::process {

// A request to fork(), in the terms of the layers below.
struct ForkPlan {
  spawn::SubprocessOptions subprocess;  // without the descriptors of pipes and the channel
  std::vector<Stdio> stdio;
  int channel_slot;
};

// Makes the plan. `worker` is the number of the child if it is a worker of a cluster.
ForkPlan plan_fork(const std::filesystem::path& module, const ForkOptions& options,
                   std::optional<int> worker);

// Throws Error if `options` make the plan impossible on any system.
void refuse_wrong(const ForkPlan& plan, const ForkOptions& options);

}  // namespace tine::process
