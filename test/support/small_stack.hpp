// Runs a function on a small stack.
#pragma once

#include <cstddef>
#include <functional>

#include <pthread.h>

#include "support/catch.hpp"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__OPTIMIZE__)
inline constexpr std::size_t stack_factor = 16;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr std::size_t stack_factor = 16;
#else
inline constexpr std::size_t stack_factor = 1;
#endif
#else
inline constexpr std::size_t stack_factor = 1;
#endif

// Runs a task on a thread with a stack of this size. In builds that need much more stack, it is
// larger.
inline void run_on_stack(std::size_t size, std::function<void()> task) {
  pthread_attr_t attributes;
  REQUIRE(pthread_attr_init(&attributes) == 0);
  REQUIRE(pthread_attr_setstacksize(&attributes, size * stack_factor) == 0);
  const auto start = [](void* argument) -> void* {
    (*static_cast<std::function<void()>*>(argument))();
    return nullptr;
  };
  pthread_t thread;
  REQUIRE(pthread_create(&thread, &attributes, start, &task) == 0);
  REQUIRE(pthread_join(thread, nullptr) == 0);
  pthread_attr_destroy(&attributes);
}
