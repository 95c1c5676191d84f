#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace tine::pool {

// How often each duration came, to two digits: a log-linear histogram of microseconds.
class Histogram {
 public:
  void add(std::chrono::microseconds duration);

  std::uint64_t count() const { return count_; }
  std::chrono::microseconds sum() const { return sum_; }

  // Returns the duration that this part of all durations, from 0 to 1, is not longer than. 0 if there
  // are none.
  std::chrono::microseconds percentile(double part) const;
  // Returns how many are not longer than this one.
  std::uint64_t count_up_to(std::chrono::microseconds duration) const;

 private:
  // 0 to 99 have a bucket each; so have 10 to 99 times each power of ten after that.
  static constexpr std::size_t exact = 100;
  static constexpr std::size_t per_decade = 90;
  static constexpr std::size_t decades = 10;

  static std::size_t bucket_of(std::uint64_t microseconds);
  static std::uint64_t longest_in(std::size_t bucket);

  std::array<std::uint64_t, exact + per_decade * decades> buckets_{};
  std::uint64_t count_ = 0;
  std::chrono::microseconds sum_{0};
};

}  // namespace tine::pool
