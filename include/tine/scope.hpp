// Tasks that run at the same time.
#pragma once

#include <cstddef>
#include <optional>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "tine/detail/awaitable.hpp"
#include "tine/detail/group.hpp"
#include "tine/task.hpp"

namespace tine {

namespace task {

template <class... T, std::size_t... Index>
Task<std::tuple<Value<T>...>> all(std::tuple<Task<T>...> tasks, std::index_sequence<Index...>) {
  std::tuple<std::optional<Value<T>>...> values;
  Group group = co_await Group::Opening(Group::Until::all_end);
  (group.start(task::into(std::move(std::get<Index>(tasks)), std::get<Index>(values))), ...);
  co_await group.join();
  co_return std::tuple<Value<T>...>(std::move(*std::get<Index>(values))...);
}

template <class... T, std::size_t... Index>
Task<std::variant<Value<T>...>> any(std::tuple<Task<T>...> tasks, std::index_sequence<Index...>) {
  using Any = std::variant<Value<T>...>;
  std::tuple<std::optional<Value<T>>...> values;
  Group group = co_await Group::Opening(Group::Until::first_ends);
  (group.start(task::into(std::move(std::get<Index>(tasks)), std::get<Index>(values))), ...);
  co_await group.join();
  std::optional<Any> first;
  const auto take =
      [&]<std::size_t Place>(std::optional<std::variant_alternative_t<Place, Any>>& value) {
        if (group.first() == Place) {
          first.emplace(std::in_place_index<Place>, std::move(*value));
        }
      };
  (take.template operator()<Index>(std::get<Index>(values)), ...);
  co_return std::move(*first);
}

}  // namespace task

// Tasks that run at the same time, and end before the scope does. A Scope belongs to the task that
// opened it:
//
//   tine::Scope scope = co_await tine::Scope::open();
//   for (auto& child : children) scope.start(talk(child));
//   co_await scope.join();
//
// The tasks inherit the stop and the deadline of that task. The first exception stops the other
// tasks, and those that are started later: open another scope after a join() that has failed. The
// destructor destroys the tasks that have not ended, the last one first; so a task must not destroy
// the scope that it runs in.
//
// Node: none; Promise.all() for an array of promises, which go on if one fails.
class Scope {
 public:
  // What opens a scope, by co_await.
  class [[nodiscard]] Opening : private task::Group::Opening {
   public:
    Opening() : task::Group::Opening(task::Group::Until::all_end) {}
    using task::Group::Opening::await_ready;
    using task::Group::Opening::await_suspend;
    Scope await_resume() const { return Scope(task::Group::Opening::await_resume()); }
  };
  static Opening open() { return Opening(); }

  // Starts a task on a later turn.
  void start(Task<void> task) { group_.start(std::move(task)); }

  // Stops all tasks, and those that are started later. Then a task that ends with Errc::aborted has
  // not failed.
  void stop() { group_.stop(); }

  // Waits, by co_await, until all tasks have ended. Throws the first exception of a task. One task at a
  // time may wait.
  task::Group::Joining join() { return group_.join(); }

 private:
  explicit Scope(task::Group group) : group_(std::move(group)) {}

  task::Group group_;
};

// Runs tasks at the same time, and returns their values in a tuple when all have ended; the value of
// a Task<void> is std::monostate. The first exception stops the other tasks; it is thrown when these
// have ended too. The arguments are tasks, or anything that can be awaited.
//
// Node: Promise.all(), where the others go on.
template <task::Awaitable... A>
Task<std::tuple<task::Value<task::AwaitResult<A>>...>> all(A... awaitables) {
  static_assert(sizeof...(A) > 0, "tine: all() needs something to wait for");
  return task::all(
      std::tuple<Task<task::AwaitResult<A>>...>(task::as_task(std::move(awaitables))...),
      std::index_sequence_for<A...>());
}
template <class T>
Task<std::vector<task::Value<T>>> all(std::vector<Task<T>> tasks) {
  std::vector<std::optional<task::Value<T>>> places(tasks.size());
  task::Group group = co_await task::Group::Opening(task::Group::Until::all_end);
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    group.start(task::into(std::move(tasks[i]), places[i]));
  }
  co_await group.join();
  std::vector<task::Value<T>> values;
  values.reserve(places.size());
  for (auto& place : places) values.push_back(std::move(*place));
  co_return std::move(values);
}

// Runs tasks at the same time until the first one ends, then stops the others and waits for their
// end. Returns the value of the first one in a variant whose index() is the place of its argument, or
// throws what it has thrown. What the others return or throw is dropped; to wait for a message for
// some time use receive().within(), which drops none.
//
// Node: Promise.race(), where the others go on.
template <task::Awaitable... A>
Task<std::variant<task::Value<task::AwaitResult<A>>...>> any(A... awaitables) {
  static_assert(sizeof...(A) > 0, "tine: any() needs something to wait for");
  return task::any(
      std::tuple<Task<task::AwaitResult<A>>...>(task::as_task(std::move(awaitables))...),
      std::index_sequence_for<A...>());
}

}  // namespace tine
