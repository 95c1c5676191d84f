#include "task/context.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace tine::task {

Context::Context(uv::LoopCore& core, Context* parent, Callback<void()> ended)
    : core_(core), ended_(std::move(ended)), parent_(parent) {
  if (parent_ == nullptr) return;
  ending_ = parent_->ending_;
  deadline_ = parent_->deadline_;
  next_sibling_ = std::exchange(parent_->first_child_, this);
  if (next_sibling_ != nullptr) next_sibling_->previous_sibling_ = this;
}

void Context::transfer(std::coroutine_handle<> frame) noexcept {
  if (closed_) return;
  next_ = frame;
  if (!running_) defer();
}

void Context::outermost_ended() noexcept {
  end_due_ = true;
  if (!running_) defer();
}

void Context::forget(const Wait& wait) noexcept {
  if (wait_ == &wait) wait_ = nullptr;
}

void Context::run() {
  if (wait_ != nullptr && wait_->settled()) {
    if (wait_->unfinished()) return core_.defer_to_next_turn(task_, shared_from_this());
    next_ = std::exchange(wait_, nullptr)->finish();
  }
  run_frames();
  if (std::exchange(end_due_, false)) ended_();
}

// A frame that awaits a task, or ends, leaves the next frame in next_ and returns to here.
void Context::run_frames() {
  struct Running {
    explicit Running(bool& flag) : running(flag) { running = true; }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    ~Running() { running = false; }
    bool& running;
  } guard(running_);
  while (next_) std::exchange(next_, nullptr).resume();
}

void Context::end_with(Errc reason) noexcept {
  if (ending_) return;
  ending_ = reason;
  if (wait_ != nullptr) wait_->fail(reason);
  for (Context* child = first_child_; child != nullptr; child = child->next_sibling_) {
    child->end_with(reason);
  }
}

void Context::limit(uv::Clock::time_point deadline) {
  if (deadline >= deadline_) return;
  deadline_ = deadline;
  deadline_timer_ = uv::TimerState::start(core_, *left(), [this] { end_with(Errc::timed_out); });
}

std::optional<std::chrono::milliseconds> Context::left() const {
  using std::chrono::milliseconds;
  if (deadline_ == uv::no_deadline) return std::nullopt;
  return std::max(std::chrono::ceil<milliseconds>(deadline_ - uv::Clock::now()), milliseconds(0));
}

void Context::stop_on(std::stop_token stop) {
  if (!stop.stop_possible()) return;
  stop_watch_ =
      std::make_unique<uv::StopWatch>(core_, weak_from_this(), [this] { end_with(Errc::aborted); });
  stop_watch_->start(std::move(stop));
}

void Context::close() noexcept {
  closed_ = true;
  next_ = nullptr;
  wait_ = nullptr;
  end_due_ = false;
  if (const auto timer = std::exchange(deadline_timer_, nullptr)) timer->cancel();
  if (stop_watch_) stop_watch_->stop();
  leave_parent();
  while (Context* const child = first_child_) child->leave_parent();
}

void Context::leave_parent() noexcept {
  if (parent_ == nullptr) return;
  (previous_sibling_ != nullptr ? previous_sibling_->next_sibling_ : parent_->first_child_) =
      next_sibling_;
  if (next_sibling_ != nullptr) next_sibling_->previous_sibling_ = previous_sibling_;
  parent_ = next_sibling_ = previous_sibling_ = nullptr;
}

}  // namespace tine::task
