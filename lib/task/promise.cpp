#include "tine/detail/promise.hpp"

#include <utility>

#include "task/context.hpp"
#include "uv/deadline.hpp"

namespace tine::task {

// What ends a thread (pthread_exit) is no exception of C++, and must go on.
void PromiseBase::unhandled_exception() {
  exception_ = std::current_exception();
  if (!exception_) throw;
}

void PromiseBase::limit(std::chrono::milliseconds time) {
  deadline_ = uv::deadline_after(uv::Clock::now(), time);
}

void PromiseBase::run_for(PromiseBase& waiting_promise, std::coroutine_handle<> waiting,
                          std::coroutine_handle<> own) {
  waiting_ = waiting;
  waiting_context_ = waiting_promise.context_;
  context_ = waiting_context_;
  if (deadline_) {
    own_context_ = std::make_shared<Context>(waiting_context_->core(), waiting_context_);
    own_context_->limit(*deadline_);
    context_ = own_context_.get();
  }
  context_->transfer(own);
}

void PromiseBase::ended() noexcept {
  if (waiting_) {
    waiting_context_->transfer(waiting_);
  } else {
    context_->outermost_ended();
  }
}

void PromiseBase::leave_own_context() noexcept { own_context_->close(); }

void PromiseBase::rethrow() {
  if (exception_) std::rethrow_exception(std::exchange(exception_, nullptr));
}

}  // namespace tine::task
