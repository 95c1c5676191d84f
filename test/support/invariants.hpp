// What must hold after every fault, beyond what TestLoop checks (handles, descriptors, children).
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include <tine/tine.hpp>

#include "support/test_loop.hpp"

// The most memory that this process has had since the object was made, beyond what it had then.
class PeakMemory {
 public:
  PeakMemory();
  std::size_t growth() const;

 private:
  std::size_t before_;
};

inline constexpr std::size_t mebibyte = std::size_t{1} << 20;

// Whether memory and time are those of a sanitizer, and tell nothing.
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

// The invariants of one test: made at its beginning, checked at its end.
class Invariants {
 public:
  // No more memory than that is taken meanwhile.
  explicit Invariants(TestLoop& loop, std::size_t memory = 16 * mebibyte)
      : loop_(loop), memory_(memory) {}

  // A child that is to have "disconnect", "exit" and "close" once each, in this order.
  tine::ChildProcess watch(tine::ChildProcess child);
  // A callback for send() that is to be called once.
  tine::SendCallback sent();

  // How many callbacks were told so.
  int successes() const { return count(false); }
  int failures() const { return count(true); }

  // All of it, and that the loop can fork a new child and exchange 1 000 messages with it.
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
