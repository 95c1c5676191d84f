#pragma once

#include <chrono>
#include <ctime>
#include <utility>

namespace tine::uv {

// A measure of how densely messages are sent. It decides whether a message is written when it is
// sent, or together with the messages after it.
//
// A write of its own costs a few microseconds for each message. If fewer than `dense_per_ms`
// messages are sent in a millisecond, that is a small part of the time, and an answer must not wait
// for a listener that works for long. If more are sent, the listeners are quick, and the writes
// would take most of the time.
class Pace {
 public:
  using Time = std::chrono::nanoseconds;

  static constexpr int dense_per_ms = 16;

  // Reads a clock that ticks every few milliseconds. A reading costs a few nanoseconds.
  static Time now() {
    timespec time{};
#ifdef CLOCK_MONOTONIC_COARSE
    clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
    return std::chrono::seconds(time.tv_sec) + Time(time.tv_nsec);
#else
    constexpr auto tick = std::chrono::milliseconds(4);
    clock_gettime(CLOCK_MONOTONIC, &time);
    const Time precise = std::chrono::seconds(time.tv_sec) + Time(time.tv_nsec);
    return precise - precise % tick;
#endif
  }

  // Counts a message. Returns whether messages are sent so densely that they should be written
  // together.
  bool sent(Time time) {
    if (ticked(time)) {
      dense_ = count_ * std::chrono::milliseconds(1) >= dense_per_ms * (time - tick_);
      count_ = 0;
      tick_ = time;
    }
    // Notices a burst within its tick.
    constexpr int most_singly = 4 * dense_per_ms;
    ++count_;
    dense_ = dense_ || count_ > most_singly;
    counted_ = true;
    return dense_;
  }

  // Returns whether a message was counted, and so the clock was read, since the last call.
  bool has_counted() { return std::exchange(counted_, false); }
  // Returns whether the clock has ticked since the last message was counted.
  bool ticked(Time time) const { return time != tick_; }

 private:
  Time tick_{};
  int count_ = 0;
  bool dense_ = false;
  bool counted_ = false;
};

}  // namespace tine::uv
