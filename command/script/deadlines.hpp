#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include "tine/loop.hpp"

namespace tine::command {

// The deadlines of a transcript: one of all steps together, and one of the current step.
//
// Time is up when a timer says so, not when a clock does: what came in time is looked at first,
// even if this process was stopped meanwhile.
class Deadlines {
 public:
  using milliseconds = std::chrono::milliseconds;

  // `up` is called when a deadline that is waited for has passed, and sometimes before.
  Deadlines(Loop& loop, std::function<void()> up);
  Deadlines(const Deadlines&) = delete;
  Deadlines& operator=(const Deadlines&) = delete;
  ~Deadlines() { stop(); }

  // Starts the time of all steps together.
  void start_all(milliseconds time);
  // Starts the time of the current step, unless it runs already.
  void start_step(milliseconds time);
  void end_step() { step_.reset(); }
  // Makes sure that `up` is called when the current step's time is up.
  void wait() { wait_until(step_->end); }
  // Ends all. `up` is not called any more.
  void stop();

  bool all_up() const { return all_ && all_->up; }
  bool step_up() const { return step_ && step_->up; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Deadline {
    explicit Deadline(milliseconds time) : end(Clock::now() + time) {}
    void look_at(Clock::time_point now) { up = now >= end; }

    Clock::time_point end;
    bool up = false;
  };

  void wait_until(Clock::time_point time);
  void on_timer();

  Loop& loop_;
  std::function<void()> up_;
  std::optional<Deadline> all_;
  std::optional<Deadline> step_;
  Timer timer_;
  std::optional<Clock::time_point> timer_due_;
};

}  // namespace tine::command
