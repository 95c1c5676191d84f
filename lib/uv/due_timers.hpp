#pragma once

#include <cstdint>

#include "uv/handle.hpp"

namespace tine::uv {

class LoopCore;

// The expired timers that wait until the loop has polled.
//
// libuv runs timers before it polls. A process that was stopped (Ctrl-Z, a debugger, a laptop that
// slept) or busy would find every deadline missed, although what it waited for has come in time and
// only has to be read. So an expired timer is called after a poll that brought nothing new, or
// after a few polls if each of them brings something.
class DueTimers {
 public:
  class Timer {
   public:
    virtual ~Timer() = default;
    // Called from inside LoopCore::enter().
    virtual void fire() = 0;

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

  // Adds a timer that has expired.
  void add(Timer& timer) noexcept;
  // Removes a timer, which is not called then. A no-op if it is not due.
  void remove(Timer& timer) noexcept;
  // Sets whether the timer keeps the loop alive while it is due.
  void set_ref(Timer& timer, bool ref) noexcept;

 private:
  void polled();
  void update() noexcept;

  LoopCore& core_;
  Timer* first_ = nullptr;
  UvHandle<uv_check_t> after_poll_;
  UvHandle<uv_idle_t> no_block_;  // active while a timer is due, so that the poll does not block
  std::uint64_t turn_ = 0;        // LoopCore::turn() when it was last looked at
  int polls_ = 0;                 // polls that brought something since a timer was due
};

}  // namespace tine::uv
