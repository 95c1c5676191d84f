#pragma once

#include <algorithm>
#include <cstddef>

namespace tine::base {

// A detector of memory that was needed once but has not been needed for a while. One huge message
// must not hold its memory for the life of a channel, but a stream of them may.
class RecentNeed {
 public:
  // Records how much was needed this time. Returns whether the memory that is held should be given
  // back: it is much more than was needed lately, and large enough to be worth it.
  bool outgrown(std::size_t needed, std::size_t held) {
    constexpr int a_while = 64;
    constexpr std::size_t worth_keeping = std::size_t{128} << 10;
    most_ = std::max(most_, needed);
    if (held <= worth_keeping || most_ > held / 4) {
      times_ = 0;
    } else {
      ++times_;
    }
    const bool outgrown = times_ >= a_while;
    if (outgrown) times_ = 0;
    if (times_ == 0) most_ = 0;
    return outgrown;
  }

 private:
  std::size_t most_ = 0;  // the most that was needed since times_ was 0
  int times_ = 0;         // times in a row that most of the memory was not used
};

}  // namespace tine::base
