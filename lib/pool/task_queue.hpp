#pragma once

#include <array>
#include <cstddef>
#include <tuple>

#include "pool/level_limits.hpp"
#include "pool/records.hpp"

namespace tine::pool {

// Which of two tasks is to run first.
inline bool is_better(const Task& one, const Task& other) {
  return std::tie(one.rank, one.id) < std::tie(other.rank, other.id);
}

// The tasks that are queued: those for any worker, by level, and those for the worker of their key.
//
// Tasks that wait for the worker of their key count as one while the key has none: the worker that takes the
// best of them gets the key, and the others wait for it.
class TaskQueue {
 public:
  std::size_t size() const { return size_; }
  // Of those for any worker.
  const LevelCounts& counts() const { return counts_; }
  unsigned highest_level() const;

  void add(Task& task) noexcept;
  void remove(Task& task) noexcept;

  // Returns the best ranked one for any worker, of this level or a deeper one. Null if there is none.
  Task* best(unsigned lowest_level) const;
  // Return the one that has been queued longest, and the one that came last. Null if there is none.
  Task* oldest() const { return by_age_.first(); }
  Task* newest() const { return by_age_.last(); }

  // The queued tasks of a key: they wait for its worker, or are for all again.
  void bind(Key& key) noexcept;
  void release(Key& key) noexcept;

 private:
  void offer(Task& task) noexcept;
  void withdraw(Task& task) noexcept;

  std::array<Ranking, deepest + 1> for_all_;
  LevelCounts counts_{};
  List<Task, &Task::in_list> by_age_;
  std::size_t size_ = 0;
};

}  // namespace tine::pool
