#include "pool/worker_table.hpp"

#include <algorithm>

namespace tine::pool {

WorkerTable::WorkerTable(const Limits& limits)
    : limits_(limits), concurrency_(limits.concurrency), levels_(limits.max, limits.concurrency) {}

Worker& WorkerTable::add() {
  const auto added = workers_.try_emplace(last_id_ + 1).first;
  Worker& worker = added->second;
  try {
    worker.id = added->first;
    worker.by_load.make(worker);
    worker.by_keyed.make(worker);
    worker.by_idleness.make(worker);
    worker.by_age.make(worker);
  } catch (...) {
    workers_.erase(added);
    throw;
  }
  ++last_id_;
  ++starting_;
  return worker;
}

void WorkerTable::erase(Worker& worker) noexcept { workers_.erase(worker.id); }

Worker* WorkerTable::find(WorkerId id) {
  const auto found = workers_.find(id);
  return found == workers_.end() ? nullptr : &found->second;
}

double WorkerTable::less_jitter(double limit) const {
  return limit * (1 - limits_.recycle_jitter * limits_.random());
}

void WorkerTable::set_ready(Worker& worker, Clock::time_point now) noexcept {
  worker.state = WorkerState::ready;
  worker.was_ready = true;
  worker.ready_at = worker.idle_since = now;
  worker.last_use = ++uses_;
  const auto tasks = less_jitter(static_cast<double>(limits_.recycle_tasks));
  worker.most_tasks = std::max<std::size_t>(static_cast<std::size_t>(tasks), 1);
  worker.most_memory =
      static_cast<std::size_t>(less_jitter(static_cast<double>(limits_.recycle_memory)));
  if (limits_.recycle_age.count() > 0) {
    const auto age = less_jitter(static_cast<double>(limits_.recycle_age.count()));
    by_age_.put(worker.by_age,
                uv::deadline_after(now, std::chrono::milliseconds(static_cast<std::int64_t>(age))));
  }
  --starting_;
  ++ready_;
  update(worker);
}

void WorkerTable::retire(Worker& worker, WorkerState state) noexcept {
  if (worker.state == WorkerState::starting) --starting_;
  if (worker.state == WorkerState::ready) {
    --ready_;
    for (Task* task = worker.tasks.first(); task != nullptr; task = worker.tasks.after(*task)) {
      levels_.remove(task->level);
    }
  }
  worker.state = state;
  Worker::ByTime::leave(worker.by_age);
  update(worker);
}

void WorkerTable::give(Worker& worker, Task& task) noexcept {
  worker.tasks.push_back(task);
  task.worker = &worker;
  ++worker.occupied;
  worker.last_use = ++uses_;
  levels_.add(task.level);
  update(worker);
}

void WorkerTable::take_back(Worker& worker, Task& task, Clock::time_point now) noexcept {
  worker.tasks.remove(task);
  task.worker = nullptr;
  --worker.occupied;
  worker.idle_since = now;
  if (worker.state == WorkerState::ready) levels_.remove(task.level);
  update(worker);
}

// The orders have no use for a worker that cannot be chosen.
void WorkerTable::update(Worker& worker) noexcept {
  const bool place = has_place(worker);
  by_load_.place(worker.by_load, place, {worker.occupied, ~worker.last_use});
  const bool keyed = place && !worker.keyed.empty();
  by_keyed_.place(worker.by_keyed, keyed,
                  keyed ? std::pair(worker.keyed.first().rank, worker.keyed.first().id)
                        : std::pair(Clock::time_point(), TaskId(0)));
  by_idleness_.place(worker.by_idleness, worker.state == WorkerState::ready && worker.occupied == 0,
                     worker.idle_since);
}

Worker* WorkerTable::least_loaded() const { return by_load_.empty() ? nullptr : &by_load_.first(); }

Worker* WorkerTable::best_keyed() const { return by_keyed_.empty() ? nullptr : &by_keyed_.first(); }

Worker* WorkerTable::longest_idle() const {
  return by_idleness_.empty() ? nullptr : &by_idleness_.first();
}

Worker* WorkerTable::take_too_old(Clock::time_point now) noexcept {
  if (next_age() > now || by_age_.empty()) return nullptr;
  Worker& worker = by_age_.first();
  Worker::ByTime::leave(worker.by_age);
  return &worker;
}

Clock::time_point WorkerTable::next_age() const {
  return by_age_.empty() ? uv::no_deadline : by_age_.first_key();
}

}  // namespace tine::pool
