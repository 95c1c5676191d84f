#pragma once

#include <array>
#include <cstddef>

#include "pool/records.hpp"

namespace tine::pool {

using LevelCounts = std::array<std::size_t, deepest + 1>;

// Which levels of nesting may start a task: see Scheduler. It counts the tasks in workers that take tasks.
class LevelLimits {
 public:
  LevelLimits(std::size_t max, std::size_t concurrency) : max_(max), concurrency_(concurrency) {}

  void add(unsigned level) noexcept { ++running_[level], ++total_; }
  void remove(unsigned level) noexcept { --running_[level], --total_; }
  std::size_t total() const { return total_; }

  // Tasks of this level, and of all deeper ones, may start. deepest + 1: none may.
  unsigned lowest_open() const;
  // Returns how many of the tasks that wait may run at the same time, if there are workers for them.
  std::size_t can_start(const LevelCounts& waiting) const;

 private:
  std::size_t most(unsigned level) const { return (max_ + level) * concurrency_; }

  const std::size_t max_;
  const std::size_t concurrency_;
  LevelCounts running_{};
  std::size_t total_ = 0;
};

}  // namespace tine::pool
