#include "command/script/deadlines.hpp"

#include <algorithm>
#include <utility>

namespace tine::command {

Deadlines::Deadlines(Loop& loop, std::function<void()> up) : loop_(loop), up_(std::move(up)) {}

void Deadlines::start_all(milliseconds time) {
  all_.emplace(time);
  wait_until(all_->end);
}

void Deadlines::start_step(milliseconds time) {
  if (!step_) step_.emplace(time);
}

void Deadlines::stop() {
  timer_.cancel();
  timer_due_.reset();
  all_.reset();
  step_.reset();
}

// Sets the one timer. A timer that is due earlier stays: when it fires, the step is tried again and
// waits anew.
void Deadlines::wait_until(Clock::time_point time) {
  if (timer_due_ && *timer_due_ <= time) return;
  timer_.cancel();
  timer_due_ = time;
  const auto delay = std::chrono::ceil<milliseconds>(time - Clock::now());
  timer_ = loop_.after(std::max(delay, milliseconds(0)), [this] { on_timer(); });
}

void Deadlines::on_timer() {
  timer_due_.reset();
  const auto now = Clock::now();
  if (step_) step_->look_at(now);
  if (all_) {
    all_->look_at(now);
    if (!all_->up) wait_until(all_->end);
  }
  up_();
}

}  // namespace tine::command
