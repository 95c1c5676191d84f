#include "pool/level_limits.hpp"

#include <algorithm>

namespace tine::pool {

unsigned LevelLimits::lowest_open() const {
  if (total_ < most(0)) return 0;
  unsigned lowest = 0;
  std::size_t up_to_here = 0;
  for (unsigned level = 0; level <= deepest; ++level) {
    up_to_here += running_[level];
    if (up_to_here >= most(level)) lowest = level + 1;
  }
  return lowest;
}

std::size_t LevelLimits::can_start(const LevelCounts& waiting) const {
  std::size_t result = 0;
  std::size_t up_to_here = 0;
  for (unsigned level = 0; level <= deepest; ++level) {
    up_to_here += running_[level];
    const std::size_t room = most(level) - std::min(up_to_here, most(level));
    result = std::min(result + waiting[level], room);
  }
  return result;
}

}  // namespace tine::pool
