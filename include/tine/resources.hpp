// What a child may use, and what it has used.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#pragma GCC visibility push(default)

namespace tine {

// A limit as of setrlimit(). RLIMIT_INFINITY is no limit; to raise a hard limit needs privileges.
//
// Node: none.
struct ResourceLimit {
  int resource;  // RLIMIT_CORE and so on, of <sys/resource.h>
  std::uint64_t soft;
  std::uint64_t hard;
};

// What a child has used in its life, with those of its own children that it has waited for.
//
// Node: process.resourceUsage(), there of the process itself.
struct ResourceUsage {
  std::chrono::microseconds user_time{0};
  std::chrono::microseconds system_time{0};
  // Bytes: the most memory that one of them had at a time. nullopt: no more than the parent itself had had
  // when it started the child. Until the child runs its program it has the parent's memory, and the system
  // tells the larger of the two.
  std::optional<std::size_t> max_rss = {};
  std::uint64_t major_page_faults = 0;
  std::uint64_t minor_page_faults = 0;
  std::uint64_t voluntary_context_switches = 0;
  std::uint64_t involuntary_context_switches = 0;
};

}  // namespace tine

#pragma GCC visibility pop
