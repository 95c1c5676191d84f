#pragma once

#include <cstdint>

#include "uv/handle.hpp"

namespace tine::uv {

class LoopCore;

// Timers that have run down, until the loop has polled.
//
// libuv runs timers before it polls. A process that was stopped (Ctrl-Z, a debugger, a laptop that
// slept) or busy would find each deadline missed, although what was waited for has come in time and is
// still to be read. So a timer that has run down is told after a poll that brought nothing new, or
// after a few polls if each brings something.
class DueTimers {
 public:
  class Timer {
   public:
    virtual ~Timer() = default;
    // Called from inside LoopCore::enter().
    virtual void tell() = 0;

   private:
    friend class DueTimers;

    Timer* next_ = nullptr;
    bool due_ = false;
    bool ref_ = true;
  };

  explicit DueTimers(LoopCore& core) : core_(core) {}
  DueTimers(const DueTimers&) = delete;
  DueTimers& operator=(const DueTimers&) = delete;

  void open(uv_loop_t* loop);
  void close() noexcept;

  // The timer has run down.
  void add(Timer& timer) noexcept;
  // The timer is not to be told. Does nothing if it is not due.
  void remove(Timer& timer) noexcept;
  // Whether the timer keeps the loop alive while it is due.
  void set_ref(Timer& timer, bool ref) noexcept;

 private:
  void polled();
  void update() noexcept;

  LoopCore& core_;
  Timer* first_ = nullptr;
  UvHandle<uv_check_t> after_poll_;
  UvHandle<uv_idle_t> no_block_;  // active while a timer is due: the poll is not to block
  std::uint64_t turn_ = 0;        // of the loop, when it was last looked at
  int polls_ = 0;                 // since the first of the timers is due
};

}  // namespace tine::uv
