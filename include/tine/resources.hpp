// Resource limits and resource usage of a child.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace tine {

// A limit as in setrlimit(). RLIMIT_INFINITY means no limit; raising a hard limit needs privileges.
//
// Node: none.
struct ResourceLimit {
  int resource;  // RLIMIT_CORE and so on, from <sys/resource.h>
  std::uint64_t soft;
  std::uint64_t hard;
};

// The resources that a child used in its life, including those of its own children that it has
// waited for.
//
// Node: process.resourceUsage(), which is about the process itself.
struct ResourceUsage {
  std::chrono::microseconds user_time{0};
  std::chrono::microseconds system_time{0};
  // Peak memory in bytes: the maximum over these processes, not their sum. nullopt if it was not
  // more than the parent itself had used when it started the child: until the child runs its
  // program it has the parent's memory, and the system reports the larger of the two.
  std::optional<std::size_t> max_rss = {};
  std::uint64_t major_page_faults = 0;
  std::uint64_t minor_page_faults = 0;
  std::uint64_t voluntary_context_switches = 0;
  std::uint64_t involuntary_context_switches = 0;
};

}  // namespace tine
