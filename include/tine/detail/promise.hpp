// The promise of a tine::Task: what the compiler calls while the task runs.
#pragma once

#include <chrono>
#include <concepts>
#include <coroutine>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include "tine/detail/export.hpp"

namespace tine {

template <class T>
class Task;

namespace task {

class Branch;
class Context;
class Group;
class Wait;

// The part of a promise that does not depend on the type of the result.
class TINE_EXPORT PromiseBase {
 public:
  PromiseBase() = default;
  PromiseBase(const PromiseBase&) = delete;
  PromiseBase& operator=(const PromiseBase&) = delete;
  ~PromiseBase() {
    if (own_context_) leave_own_context();
  }

  // The awaiter of a task that has ended: whoever awaits the task runs next.
  class Final {
   public:
    bool await_ready() const noexcept { return false; }
    template <std::derived_from<PromiseBase> P>
    void await_suspend(std::coroutine_handle<P> frame) const noexcept {
      frame.promise().ended();
    }
    void await_resume() const noexcept {}
  };

  std::suspend_always initial_suspend() const noexcept { return {}; }
  Final final_suspend() const noexcept { return {}; }
  void unhandled_exception();

  // Limits the time of the task, from now on.
  void limit(std::chrono::milliseconds time);

  // Runs the task next, and after its end `waiting`, which awaits it. Neither runs inside this call:
  // a chain of tasks that are ready would need stack for each, because g++ calls where it should
  // jump unless it optimizes.
  void run_for(PromiseBase& waiting_promise, std::coroutine_handle<> waiting,
               std::coroutine_handle<> own);

  // Throws what has left the task, if anything has.
  void rethrow();

 private:
  friend class Branch;
  friend class Group;
  friend class Wait;

  void ended() noexcept;
  void leave_own_context() noexcept;

  Context* context_ = nullptr;
  std::shared_ptr<Context> own_context_;  // of a task with a limit of its own
  std::coroutine_handle<> waiting_;       // null for the outermost task of a context
  Context* waiting_context_ = nullptr;
  std::exception_ptr exception_;
  std::optional<std::chrono::steady_clock::time_point> deadline_;
};

template <class T>
class Promise : public PromiseBase {
 public:
  Task<T> get_return_object() {
    return Task<T>(std::coroutine_handle<Promise>::from_promise(*this));
  }

  template <std::convertible_to<T> U = T>
  void return_value(U&& value) {
    value_.emplace(std::forward<U>(value));
  }

  T take() {
    rethrow();
    return std::move(*value_);
  }

 private:
  std::optional<T> value_;
};

template <>
class Promise<void> : public PromiseBase {
 public:
  inline Task<void> get_return_object();
  void return_void() const noexcept {}
  void take() { rethrow(); }
};

}  // namespace task
}  // namespace tine
