#pragma once

#include <filesystem>
#include <memory>

#include "process/internal_channel.hpp"
#include "tine/channel_end.hpp"
#include "tine/child_process.hpp"
#include "tine/fork_options.hpp"
#include "tine/process.hpp"
#include "uv/loop_core.hpp"

namespace tine::process {

// Operations on a child, or on this process, for the layers above but not for users.
struct Access {
  // Forks a child that finds its worker number in the environment.
  static ChildProcess fork_worker(uv::LoopCore& core, const std::filesystem::path& module,
                                  const ForkOptions& options, int number);
  // Returns null for an empty handle.
  static const std::shared_ptr<Peer>& peer_of(const ChannelEnd& end) { return end.peer_; }
  static InternalChannel channel_of(const ChildProcess& child);
  static InternalChannel channel_of(const Process& process);
  // Offers internal messages to `route`, until the channel has ended or the child is closed.
  static void route_internal(const ChildProcess& child, InternalRoute route);
  static void route_internal(const Process& process, InternalRoute route);
};

}  // namespace tine::process
