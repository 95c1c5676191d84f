#include "tine/detail/wait.hpp"

#include <utility>

#include "task/context.hpp"
#include "uv/timer.hpp"

namespace tine::task {

void Wait::suspend(PromiseBase& promise, std::coroutine_handle<> frame) {
  context_ = promise.context_;
  frame_ = frame;
  state_ = State::waiting;
  context_->wait(*this);
  if (const auto reason = context_->ending()) return fail(*reason);
  begin();
  if (!time_ || settled()) return;
  timer_ = uv::TimerState::start(context_->core(), *time_, [this] { expired(); });
}

Wait::~Wait() {
  if (state_ == State::idle) return;
  stop_timer();
  context_->forget(*this);
}

void Wait::settle() noexcept {
  if (state_ != State::waiting) return;
  state_ = State::settled;
  context_->settled();
}

void Wait::fail(Errc reason) noexcept {
  if (state_ != State::waiting) return;
  failure_ = reason;
  stop_timer();
  end();
  settle();
}

std::coroutine_handle<> Wait::finish() noexcept {
  state_ = State::idle;
  stop_timer();
  end();
  return frame_;
}

void Wait::stop_timer() noexcept {
  if (const auto timer = std::exchange(timer_, nullptr)) timer->cancel();
}

Wait::Time Wait::left() const { return context_->left(); }

void Wait::check() const {
  if (!failure_) return;
  throw Error(*failure_,
              *failure_ == Errc::aborted ? "a task was stopped" : "a task has waited too long");
}

}  // namespace tine::task
