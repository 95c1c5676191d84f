// What a child may use, and what it has used.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

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
  std::size_t max_rss = 0;  // bytes: the most memory that one of them had at a time
  std::uint64_t major_page_faults = 0;
  std::uint64_t minor_page_faults = 0;
  std::uint64_t voluntary_context_switches = 0;
  std::uint64_t involuntary_context_switches = 0;
};

}  // namespace tine

#pragma GCC visibility pop
