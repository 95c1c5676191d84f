#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

#include "pool/level_limits.hpp"
#include "pool/limits.hpp"
#include "pool/records.hpp"

namespace tine::pool {

// All workers, and the orders in which they are chosen. A worker that is ready takes tasks.
class WorkerTable {
 public:
  // The limits outlive it.
  explicit WorkerTable(const Limits& limits);

  std::size_t size() const { return workers_.size(); }
  std::size_t starting() const { return starting_; }
  std::size_t ready() const { return ready_; }
  std::size_t idle() const { return by_idleness_.size(); }
  // Of those that are ready: places without a task.
  std::size_t free_places() const { return ready_ * concurrency_ - levels_.total(); }
  const LevelLimits& levels() const { return levels_; }

  // Makes one that is starting. If memory runs out, throws and changes nothing.
  Worker& add();
  void erase(Worker& worker) noexcept;
  Worker* find(WorkerId id);
  std::map<WorkerId, Worker>& all() { return workers_; }

  void set_ready(Worker& worker, Clock::time_point now) noexcept;
  // It takes no more tasks.
  void retire(Worker& worker, WorkerState state) noexcept;
  void give(Worker& worker, Task& task) noexcept;
  void take_back(Worker& worker, Task& task, Clock::time_point now) noexcept;
  // Tasks that wait for this worker have come or gone.
  void keyed_changed(Worker& worker) noexcept { update(worker); }

  // With a free place. Null if there is none.
  Worker* least_loaded() const;
  // The one with the best task that waits for it.
  Worker* best_keyed() const;
  // The one that has been idle longest.
  Worker* longest_idle() const;
  // One that has reached its age. Each is returned once.
  Worker* take_too_old(Clock::time_point now) noexcept;
  Clock::time_point next_age() const;

  bool has_place(const Worker& worker) const {
    return worker.state == WorkerState::ready && worker.occupied < concurrency_;
  }

 private:
  void update(Worker& worker) noexcept;
  double less_jitter(double limit) const;

  const Limits& limits_;
  const std::size_t concurrency_;
  std::map<WorkerId, Worker> workers_;
  WorkerId last_id_ = 0;
  std::size_t starting_ = 0;
  std::size_t ready_ = 0;
  std::uint64_t uses_ = 0;
  LevelLimits levels_;
  Worker::ByLoad by_load_;
  Worker::ByTask by_keyed_;
  Worker::ByTime by_idleness_;
  Worker::ByTime by_age_;
};

}  // namespace tine::pool
