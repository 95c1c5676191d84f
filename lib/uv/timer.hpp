#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "uv/due_timers.hpp"
#include "uv/loop_core.hpp"

namespace tine::uv {

// A uv_timer_t that calls a function each time it expires: never early, and only after the loop has
// polled once more (see DueTimers). start() restarts a running timer.
//
// The function is called from inside LoopCore::enter() and may not run user code itself.
class RawTimer final : private DueTimers::Timer {
 public:
  RawTimer(LoopCore& core, std::function<void()> expired);
  RawTimer(const RawTimer&) = delete;
  RawTimer& operator=(const RawTimer&) = delete;
  ~RawTimer() { stop(); }

  void start(std::chrono::milliseconds delay);
  void stop();
  void set_ref(bool ref);

 private:
  void fire() override;

  LoopCore& core_;
  std::function<void()> expired_;
  UvHandle<uv_timer_t> handle_;
};

// The state behind tine::Timer.
class TimerState final : public Resident, public std::enable_shared_from_this<TimerState> {
 public:
  static std::shared_ptr<TimerState> start(LoopCore& core, std::chrono::milliseconds delay,
                                           Callback<void()> function);

  void cancel();
  void set_ref(bool ref);
  void loop_closing() noexcept override;

 private:
  TimerState(LoopCore& core, Callback<void()> function);
  void run();

  Callback<void()> function_;
  Task due_;
  std::unique_ptr<RawTimer> timer_;
};

}  // namespace tine::uv
