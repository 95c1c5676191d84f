#pragma once

#include <functional>
#include <optional>
#include <utility>

#include "rpc/deadlines.hpp"
#include "uv/loop_core.hpp"
#include "uv/timer.hpp"

namespace tine::rpc {

// One timer for many deadlines. It does not keep the loop running.
//
// Its function may not run user code. It is called when the earliest deadline has come, and after the
// loop has polled once more: see uv::RawTimer. It may be called too early, because the timer stays when
// a deadline is removed, which happens to nearly every deadline.
class Alarm {
 public:
  explicit Alarm(std::function<void()> due) : due_(std::move(due)) {}

  // Makes sure that the function is called when `deadline` has come.
  void set(uv::LoopCore& core, Clock::time_point deadline);
  void close() noexcept { timer_.reset(); }

 private:
  std::function<void()> due_;
  std::optional<uv::RawTimer> timer_;
  Clock::time_point set_to_ = no_deadline;
};

}  // namespace tine::rpc
