#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "tine/callback.hpp"
#include "tine/child_process.hpp"
#include "tine/ready.hpp"
#include "tine/rpc_error.hpp"
#include "uv/loop_core.hpp"

namespace tine::supervision {

// What became of a child that was started.
//
// ready: as its Ready says. ended: it has ended, or could not be started. late: the deadline is over.
// refused: it has answered the request with an error.
struct Started {
  enum class As { ready, ended, late, refused };

  As as;
  std::optional<RpcError> refusal = {};
};

// Watches a child that was just started until it is ready, or is known not to become so.
//
// It takes no message from anybody: "message" listeners get all of them, and while there is none they
// wait for one. Of what it adds to the child nothing is left afterwards.
class ReadyWatch {
 public:
  // Called once, on a later turn. May destroy the watch, and may not throw.
  using Done = Callback<void(const Started&)>;

  // Must be made before the loop turns again. `deadline` is as Patience counts it.
  ReadyWatch(uv::LoopCore& core, const ChildProcess& child, const Ready& ready,
             std::chrono::milliseconds deadline, Done done);
  ReadyWatch(const ReadyWatch&) = delete;
  ReadyWatch& operator=(const ReadyWatch&) = delete;
  // Ends the watch without a call. Must come before the loop is gone.
  ~ReadyWatch();

 private:
  class Watching;

  std::shared_ptr<Watching> watching_;
};

}  // namespace tine::supervision
