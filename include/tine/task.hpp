// Coroutines on a loop: tasks, and what they can await.
//
// g++ 12 destroys some temporaries of an expression with co_await twice: those of an aggregate type,
// and those of the branches of `?:`. An aggregate is a class without constructors, such as
// ForkOptions; a lambda with captures is one too. Give it a name first:
//
//   tine::ForkOptions options{.silent = true};
//   co_await talk(tine::fork(loop, "child", options));
//
// g++ 12 also loses the place where to go on after a co_await in the condition of an if, switch or
// loop, if the coroutine has no local variable. Give the value a name:
//
//   switch (const int answer = co_await ask(child); answer) { ... }
//
// What tine has for co_await is built with modifiers instead of options, so
// `co_await tine::receive(child).within(1s)` is safe with every compiler.
#pragma once

#include <cassert>
#include <chrono>
#include <concepts>
#include <coroutine>
#include <memory>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>

#include "tine/detail/awaitable.hpp"
#include "tine/detail/export.hpp"
#include "tine/detail/promise.hpp"
#include "tine/detail/wait.hpp"
#include "tine/loop.hpp"

namespace tine {

// A coroutine that returns a T, or throws.
//
// A Task runs when another task awaits it, or after start() or run(). Until then it does nothing. It
// owns its frame: if it is destroyed before its end, what it awaits is given up, and nothing but
// destructors runs. A task that was awaited or started is empty.
//
// A task runs only from the loop, on the loop's thread. What ends an await, such as a message, never
// resumes the task at once, but on a later turn.
//
// What a task awaits inherits two things from it, at any depth:
//
//   a stop       start() and run() take a std::stop_token. After the request, which may come from
//                any thread, the event or time that the task waits for is given up: the await throws
//                Errc::aborted on a later turn, unless its event comes first. Every later await of an
//                event or a time throws the same, also in a task that is just cleaning up.
//   a deadline   after within(), the same with Errc::timed_out.
//
// Node: an async function. It runs at once until its first await, and nobody can stop it; what it
// calls may take an AbortSignal.
template <class T = void>
class [[nodiscard]] Task {
  static_assert(!std::is_reference_v<T> && !std::is_const_v<T>,
                "tine: a task returns a value; return a pointer instead of a reference");

 public:
  using promise_type = task::Promise<T>;

  Task() = default;
  Task(Task&& other) noexcept : frame_(std::exchange(other.frame_, {})) {}
  Task& operator=(Task&& other) noexcept {
    const Task old(std::exchange(frame_, std::exchange(other.frame_, {})));
    return *this;
  }
  ~Task() {
    if (frame_) frame_.destroy();
  }

  // False for an empty task.
  explicit operator bool() const { return frame_ != nullptr; }

  // Gives the task a deadline, counted from now. If the task inherits an earlier one, that ends it.
  //
  // Node: AbortSignal.timeout().
  Task&& within(std::chrono::milliseconds time) && {
    assert(frame_ && "within() of an empty Task");
    frame_.promise().limit(time);
    return std::move(*this);
  }

  class Awaiter;
  Awaiter operator co_await() && { return Awaiter(std::move(*this)); }

 private:
  friend promise_type;
  friend class task::Branch;
  explicit Task(std::coroutine_handle<promise_type> frame) : frame_(frame) {}

  std::coroutine_handle<promise_type> frame_;
};

template <class T>
class Task<T>::Awaiter {
 public:
  explicit Awaiter(Task task) : task_(std::move(task)) {
    assert(task_ && "co_await of an empty Task: it was awaited or started before");
  }

  bool await_ready() const noexcept { return false; }

  template <class P>
  void await_suspend(std::coroutine_handle<P> waiting) {
    static_assert(std::derived_from<P, task::PromiseBase>,
                  "tine: a task is awaited in a tine::Task; a coroutine of another type awaits "
                  "tine::on_loop(loop, task)");
    if constexpr (std::derived_from<P, task::PromiseBase>) {
      task_.frame_.promise().run_for(waiting.promise(), waiting, task_.frame_);
    }
  }

  T await_resume() { return task_.frame_.promise().take(); }

 private:
  Task task_;
};

namespace task {

inline Task<void> Promise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<Promise>::from_promise(*this));
}

// A callable that returns a task.
template <class F>
concept TaskFunction = requires(F& callable) {
  typename decltype(callable())::promise_type;
  { callable() } -> std::same_as<Task<AwaitResult<decltype(callable())>>>;
};
template <class F>
using ResultOfCall = AwaitResult<decltype(std::declval<F&>()())>;

// The variables below are needed: see the top of this file.

template <class T>
Task<T> as_task(Task<T> task) {
  return task;
}
template <Awaitable A>
Task<AwaitResult<A>> as_task(A awaitable) {
  if constexpr (std::is_void_v<AwaitResult<A>>) {
    co_await std::move(awaitable);
  } else {
    AwaitResult<A> value = co_await std::move(awaitable);
    co_return std::move(value);
  }
}

// Stores what a task returns.
template <class T>
Task<void> into(Task<T> task, std::optional<Value<T>>& place) {
  if constexpr (std::is_void_v<T>) {
    co_await std::move(task);
    place.emplace();
  } else {
    T value = co_await std::move(task);
    place.emplace(std::move(value));
  }
}

// Keeps a callable as long as the task that it returns.
template <TaskFunction F>
Task<ResultOfCall<F>> call(F callable) {
  if constexpr (std::is_void_v<ResultOfCall<F>>) {
    co_await callable();
  } else {
    ResultOfCall<F> value = co_await callable();
    co_return std::move(value);
  }
}

TINE_EXPORT void run(Loop& loop, Task<void> task, std::stop_token stop);

}  // namespace task

// Starts a task on a later turn. The task belongs to the loop from then on, and keeps Loop::run()
// from returning. Loop::run() throws what the task throws, as it does for listeners; but a task
// that ends with Errc::aborted after its stop was requested just ends. ~Loop destroys the tasks that
// have not ended, the last one first.
//
// Node: the call of an async function without await; what it throws is an unhandledRejection.
TINE_EXPORT void start(Loop& loop, Task<void> task, std::stop_token stop = {});

// Starts the task that a callable returns, such as a lambda with captures. The callable lives as long
// as the task.
template <task::TaskFunction F>
requires std::same_as < task::ResultOfCall<F>,
void > void start(Loop& loop, F callable, std::stop_token stop = {}) {
  start(loop, task::call(std::move(callable)), std::move(stop));
}

// Runs the loop until the task has ended. Returns what the task returns, or throws what it throws.
//
// If the loop ends sooner, because a listener throws or because of Loop::stop(), the task is
// destroyed; after stop() this throws Errc::aborted. If a listener throws in the turn in which the task
// ends, this throws that exception, and the result of the task is lost. What else is on the loop stays
// there.
//
// Node: await at the top of a module.
template <class T>
T run(Loop& loop, Task<T> task, std::stop_token stop = {}) {
  std::optional<task::Value<T>> value;
  task::run(loop, task::into(std::move(task), value), std::move(stop));
  if constexpr (!std::is_void_v<T>) return std::move(*value);
}
template <task::TaskFunction F>
task::ResultOfCall<F> run(Loop& loop, F callable, std::stop_token stop = {}) {
  return run(loop, task::call(std::move(callable)), std::move(stop));
}

// A time to wait, by co_await: at least `time` and at least a millisecond. Sleeps that end at the
// same time end in the order in which they began.
//
// Node: setTimeout() of timers/promises.
class [[nodiscard]] Sleep {
 public:
  explicit Sleep(std::chrono::milliseconds time) : time_(time) {}

  class Awaiter final : public task::Wait {
   public:
    explicit Awaiter(std::chrono::milliseconds time) : Wait(time) {}
    void await_resume() const { check(); }

   private:
    void expired() noexcept override { settle(); }
  };
  Awaiter operator co_await() && { return Awaiter(time_); }

 private:
  std::chrono::milliseconds time_;
};
inline Sleep sleep(std::chrono::milliseconds time) { return Sleep(time); }

}  // namespace tine
