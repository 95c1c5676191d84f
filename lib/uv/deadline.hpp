#pragma once

#include <algorithm>
#include <chrono>

namespace tine::uv {

using Clock = std::chrono::steady_clock;

// The point in time of "never".
inline constexpr Clock::time_point no_deadline = Clock::time_point::max();

// Returns the point in time that is this long after `now`. It is `now` itself for a negative time, and
// no_deadline for a time that is too long for the clock.
inline Clock::time_point deadline_after(Clock::time_point now, std::chrono::milliseconds time) {
  const auto longest = std::chrono::duration_cast<std::chrono::milliseconds>(no_deadline - now);
  return time < longest ? now + std::max(time, std::chrono::milliseconds(0)) : no_deadline;
}

}  // namespace tine::uv
