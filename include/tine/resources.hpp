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

// The resources that a running child uses now, without those of its own children.
//
// Node: none.
struct CurrentUsage {
  // Since the child was started. The system counts them in hundredths of a second.
  std::chrono::microseconds user_time{0};
  std::chrono::microseconds system_time{0};
  // Resident memory in bytes, including what is shared with other processes.
  std::size_t memory = 0;
  std::size_t threads = 0;
  // nullopt if the system does not tell us, because the child runs as another user, for example.
  std::optional<std::size_t> descriptors = {};
};

}  // namespace tine
