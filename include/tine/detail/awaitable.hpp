// The types of what can be awaited, and of what comes of it.
#pragma once

#include <type_traits>
#include <utility>
#include <variant>

namespace tine::task {

// What a task returns, in a tuple or a variant.
template <class T>
using Value = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

// What co_await returns.
template <class A>
using AwaitResult = decltype(std::declval<A>().operator co_await().await_resume());

// What can be awaited here, by value: a Task, or what functions such as sleep() return.
template <class A>
concept Awaitable = std::is_object_v<A> && requires {
  typename AwaitResult<A>;
};

}  // namespace tine::task
