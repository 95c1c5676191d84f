// What can be awaited in a tine::Task, for coroutines of other types.
#pragma once

#include <coroutine>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "tine/detail/awaitable.hpp"
#include "tine/detail/export.hpp"
#include "tine/loop.hpp"
#include "tine/task.hpp"

namespace tine {

namespace task {

// Runs a task for a coroutine that is none.
class TINE_EXPORT Bridge {
 public:
  Bridge(Loop& loop, Task<void> task);
  Bridge(const Bridge&) = delete;
  Bridge& operator=(const Bridge&) = delete;
  ~Bridge();

  void run_for(std::coroutine_handle<> waiting);
  void rethrow() const;

 private:
  class Running;

  Loop& loop_;
  Task<void> task_;
  std::unique_ptr<Running> running_;
};

}  // namespace task

// What on_loop() returns. It owns the task, and belongs to the coroutine that awaits it.
template <class T>
class [[nodiscard]] OnLoop {
 public:
  OnLoop(Loop& loop, Task<T> task) : loop_(loop), task_(std::move(task)) {}

  class Awaiter {
   public:
    Awaiter(Loop& loop, Task<T> task) : bridge_(loop, task::into(std::move(task), value_)) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiting) { bridge_.run_for(waiting); }
    T await_resume() {
      bridge_.rethrow();
      if constexpr (!std::is_void_v<T>) return std::move(*value_);
    }

   private:
    std::optional<task::Value<T>> value_;
    task::Bridge bridge_;
  };
  Awaiter operator co_await() && { return Awaiter(loop_, std::move(task_)); }

 private:
  Loop& loop_;
  Task<T> task_;
};

// Makes a Task, or anything else that a Task can await, awaitable in a coroutine of another type:
//
//   const int answer = co_await tine::on_loop(loop, ask(child));
//
// The coroutine goes on in a listener of the loop, so what it throws there comes out of Loop::run().
// The loop does not own the coroutine, and does not run for its sake: Loop::run() returns if nothing
// else keeps it. If the coroutine is destroyed while it waits, what it awaits is given up. If the loop
// is destroyed first, what it awaits is given up too, and the coroutine never goes on.
template <task::Awaitable A>
OnLoop<task::AwaitResult<A>> on_loop(Loop& loop, A awaitable) {
  return OnLoop<task::AwaitResult<A>>(loop, task::as_task(std::move(awaitable)));
}

}  // namespace tine
