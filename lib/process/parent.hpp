#pragma once

#include <filesystem>

#include "tine/callback.hpp"
#include "tine/child_process.hpp"
#include "tine/fork_options.hpp"
#include "tine/loop.hpp"
#include "uv/loop_core.hpp"

namespace tine::process {

// The base of an object of a layer above that has children on a loop, such as the primary of a
// cluster. It may outlive the loop, because handles to it may.
class Parent : private uv::Resident {
 public:
  explicit Parent(Loop& loop) : Resident(core_of(loop)) {}

 protected:
  using Resident::check_thread;

  // Forks a child that finds its worker number in the environment. The loop must not be gone.
  ChildProcess fork_worker(const std::filesystem::path& module, const ForkOptions& options,
                           int number);

  // Runs a function on a later turn, in order with the events of the children. Drops it if the loop
  // is gone.
  void defer(Callback<void()> function);

  // Called when the loop goes away, and the children's listeners with it. No user code may run any
  // more.
  void loop_closing() noexcept override = 0;
};

}  // namespace tine::process
