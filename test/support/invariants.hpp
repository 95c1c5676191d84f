// Conditions that must hold after every fault, in addition to those that TestLoop checks (handles,
// descriptors, children).
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include <tine/tine.hpp>

#include "support/test_loop.hpp"

// Measures how far this process's peak memory has grown since this object was made.
class PeakMemory {
 public:
  PeakMemory();
  std::size_t growth() const;

 private:
  std::size_t before_;
};

inline constexpr std::size_t mebibyte = std::size_t{1} << 20;

// Whether a sanitizer is in use. Then figures of memory and time mean nothing.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool sanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif
#else
inline constexpr bool sanitized = false;
#endif

// The invariants of one test. Made at the beginning of the test, and checked at its end.
class Invariants {
 public:
  // Until check(), memory must not grow by more than `memory` bytes.
  explicit Invariants(TestLoop& loop, std::size_t memory = 16 * mebibyte)
      : loop_(loop), memory_(memory) {}

  // Watches a child, which must emit "disconnect", "exit" and "close" once each, in this order.
  tine::ChildProcess watch(tine::ChildProcess child);
  // Returns a callback for send() that must be called exactly once.
  tine::SendCallback sent();

  // Return how many of these callbacks have reported success, and failure.
  int successes() const { return count(false); }
  int failures() const { return count(true); }

  // Checks all invariants, and that the loop can exchange 1 000 messages with a new child.
  void check();

 private:
  struct Sent {
    int calls = 0;
    std::error_code error;
  };

  int count(bool failed) const;
  void exchange();

  TestLoop& loop_;
  std::size_t memory_;
  PeakMemory peak_;
  std::deque<std::shared_ptr<std::vector<std::string>>> ends_;
  std::deque<std::shared_ptr<Sent>> sent_;
};
