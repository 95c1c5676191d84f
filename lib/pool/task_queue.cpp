#include "pool/task_queue.hpp"

namespace tine::pool {

namespace {

bool is_bound(const Task& task) { return task.waits_for_key() && task.key->worker != nullptr; }

}  // namespace

unsigned TaskQueue::highest_level() const {
  unsigned level = deepest;
  while (level > 0 && counts_[level] == 0) --level;
  return level;
}

void TaskQueue::add(Task& task) noexcept {
  by_age_.push_back(task);
  ++size_;
  if (!task.waits_for_key()) return offer(task);
  Key& key = *task.key;
  if (key.best != nullptr && is_better(*key.best, task))
    return key.others.put(task.place, task.rank);
  if (key.best != nullptr) {
    withdraw(*key.best);
    key.others.put(key.best->place, key.best->rank);
  }
  key.best = &task;
  offer(task);
}

void TaskQueue::remove(Task& task) noexcept {
  by_age_.remove(task);
  --size_;
  if (!task.waits_for_key()) return withdraw(task);
  Key& key = *task.key;
  if (key.best != &task) return Ranking::leave(task.place);
  withdraw(task);
  key.best = key.others.empty() ? nullptr : &key.others.first();
  if (key.best != nullptr) offer(*key.best);
}

void TaskQueue::offer(Task& task) noexcept {
  if (is_bound(task)) return task.key->worker->keyed.put(task.place, task.rank);
  for_all_[task.level].put(task.place, task.rank);
  ++counts_[task.level];
}

void TaskQueue::withdraw(Task& task) noexcept {
  if (!is_bound(task)) --counts_[task.level];
  Ranking::leave(task.place);
}

Task* TaskQueue::best(unsigned lowest_level) const {
  Task* found = nullptr;
  for (unsigned level = lowest_level; level <= deepest; ++level) {
    if (counts_[level] == 0) continue;
    Task& first = for_all_[level].first();
    if (found == nullptr || is_better(first, *found)) found = &first;
  }
  return found;
}

void TaskQueue::bind(Key& key) noexcept {
  if (key.best == nullptr) return;
  key.worker->keyed.put(key.best->place, key.best->rank);
  --counts_[0];
}

void TaskQueue::release(Key& key) noexcept {
  if (key.best == nullptr) return;
  for_all_[0].put(key.best->place, key.best->rank);
  ++counts_[0];
}

}  // namespace tine::pool
