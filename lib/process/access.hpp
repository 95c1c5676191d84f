#pragma once

#include <filesystem>
#include <functional>

#include <nlohmann/json_fwd.hpp>

#include "process/internal_channel.hpp"
#include "tine/child_process.hpp"
#include "tine/fork_options.hpp"
#include "tine/handle.hpp"
#include "tine/process.hpp"
#include "uv/loop_core.hpp"

namespace tine::process {

// Operations on a child, or on this process, for the layers above but not for users.
struct Access {
  // A callback for internal messages that nothing else handles.
  using Internal = std::function<void(const nlohmann::json& message, const Handle& handle)>;

  // Forks a child that finds its worker number in the environment.
  static ChildProcess fork_worker(uv::LoopCore& core, const std::filesystem::path& module,
                                  const ForkOptions& options, int number);
  static InternalChannel channel_of(const ChildProcess& child);
  static InternalChannel channel_of(const Process& process);
  static void on_internal(const ChildProcess& child, Internal internal);
  static void on_internal(const Process& process, Internal internal);
};

}  // namespace tine::process
