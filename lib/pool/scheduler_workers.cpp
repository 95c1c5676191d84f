// The workers: when they are started, replaced and stopped.
#include <algorithm>

#include "pool/scheduler.hpp"

namespace tine::pool {

namespace {

using Kind = Action::Kind;

}  // namespace

// --- starting

bool Scheduler::lacks_worker() const {
  if (destroyed_ || giving_up_ || must_settle_) return false;
  const std::size_t room_for_nested = queue_.highest_level();
  const std::size_t one_more = replacement_.busy() ? 1 : 0;
  if (workers_.size() >= limits_.max + room_for_nested + one_more) return false;
  if (begun_ && !closing_ && workers_.ready() + workers_.starting() < limits_.min) return true;
  const std::size_t places = workers_.free_places() + workers_.starting() * limits_.concurrency;
  return queue_.size() > 0 && workers_.levels().can_start(queue_.counts()) > places;
}

void Scheduler::start_workers(Clock::time_point now) {
  while (lacks_worker() && pace_.may_start(now, workers_.starting())) start_worker();
}

Worker& Scheduler::start_worker() {
  make_room();
  Worker& worker = workers_.add();
  worker.attempt = pace_.attempt();
  actions_.push({.kind = Kind::start_worker, .worker = worker.id});
  return worker;
}

void Scheduler::worker_ready(WorkerId id, Clock::time_point now) {
  Worker* const worker = workers_.find(id);
  if (worker == nullptr || worker->state != WorkerState::starting) return;
  workers_.set_ready(*worker, now);
  pace_.ready();
  if (replacement_.successor() == worker) {
    replacement_.succeeded();
    if (replacement_.old()->state == WorkerState::ready) drain(*replacement_.old());
  }
  balance(now);
}

// --- ending

// It takes no more tasks, and its keys may go to others.
void Scheduler::retire(Worker& worker, WorkerState state) {
  workers_.retire(worker, state);
  replacement_.remove(worker);
  while (Key* const key = worker.keys.first()) forget(*key);
}

void Scheduler::stop(Worker& worker) {
  retire(worker, WorkerState::stopping);
  worker.told_to_end = true;
  actions_.push({.kind = Kind::stop_worker, .worker = worker.id});
}

void Scheduler::kill(Worker& worker) {
  worker.told_to_end = true;
  end(worker);
}

// No grace is left for the tasks that were given up.
void Scheduler::end(Worker& worker) {
  retire(worker, WorkerState::killed);
  for (Task* task = worker.tasks.first(); task != nullptr; task = worker.tasks.after(*task)) {
    if (task->state == TaskState::cancelling) Deadlines::leave(task->due);
  }
  actions_.push({.kind = Kind::kill_worker, .worker = worker.id});
}

void Scheduler::drain(Worker& worker) {
  if (worker.occupied == 0) return stop(worker);
  retire(worker, WorkerState::draining);
}

void Scheduler::worker_lost(WorkerId id, Clock::time_point now) {
  Worker* const worker = workers_.find(id);
  if (worker == nullptr || worker->state == WorkerState::stopping ||
      worker->state == WorkerState::killed) {
    return;
  }
  end(*worker);
  balance(now);
}

void Scheduler::worker_start_failed(WorkerId id, Clock::time_point now) { gone(id, now); }

void Scheduler::worker_exited(WorkerId id, Clock::time_point now) { gone(id, now); }

void Scheduler::gone(WorkerId id, Clock::time_point now) {
  Worker* const worker = workers_.find(id);
  if (worker == nullptr) return;
  if (worker->state != WorkerState::killed) retire(*worker, WorkerState::killed);
  note_end(*worker, now);
  while (Task* const task = worker->tasks.first()) leave_dead_worker(*task, now);
  if (worker == replacement_.old()) replacement_.end();
  const bool unasked = !worker->told_to_end;
  workers_.erase(*worker);
  if (unasked) give_up_if_exhausted();
  balance(now);
}

void Scheduler::note_end(const Worker& worker, Clock::time_point now) {
  if (worker.was_ready && !worker.told_to_end) {
    ++crashed_;
    pace_.died(worker, now);
  }
  if (worker.was_ready) return;
  if (&worker == replacement_.successor()) {
    const bool ends_reload = replacement_.for_reload();
    replacement_.failed(now);
    if (ends_reload && replacement_.reloading()) end_reload(false);
  } else if (!worker.told_to_end) {
    pace_.failed(worker.attempt, now);
  }
}

// A task that is not settled is tried again if it may and the queue has a place for it.
void Scheduler::leave_dead_worker(Task& task, Clock::time_point now) {
  const WorkerId worker = task.worker->id;
  const bool waits = task.state == TaskState::running;
  free_slot(task, now);
  if (!waits) return erase(task);
  --running_;
  const bool place = limits_.drop_oldest || queue_.size() < limits_.queue_limit;
  if (task.retries == 0 || !place || limits_.queue_limit == 0) {
    actions_.push(
        {.kind = Kind::settle, .worker = worker, .task = task.id, .why = Why::worker_died});
    return erase(task);
  }
  --task.retries;
  ++retried_;
  pace_.begin_anew();
  enqueue(task);
  keep_queue_limit();
}

// Workers that are ready do what is queued, however slowly. But if none has a place, all their tasks may
// wait for nested ones.
void Scheduler::give_up_if_exhausted() {
  if (!pace_.exhausted() || pace_.given_up() || destroyed_) return;
  if (workers_.starting() > 0) return;
  if (workers_.ready() > 0) {
    if (workers_.least_loaded() == nullptr) settle_nested();
    return;
  }
  pace_.give_up();
  giving_up_ = true;
  actions_.push({.kind = Kind::gave_up});
}

// A worker that is starting does not count: it may fail. It may also be the successor of the idle one.
bool Scheduler::may_stop_idle() const { return workers_.ready() > limits_.min; }

void Scheduler::stop_idle(Clock::time_point now) {
  while (Worker* const worker = may_stop_idle() ? workers_.longest_idle() : nullptr) {
    if (uv::deadline_after(worker->idle_since, limits_.idle_timeout) > now) return;
    stop(*worker);
  }
}

// --- replacing

void Scheduler::note_wear(Worker& worker, bool worn) {
  if (worn && worker.state == WorkerState::ready && !closing_) replacement_.add_worn(worker);
}

void Scheduler::memory(WorkerId id, std::size_t bytes, Clock::time_point now) {
  Worker* const worker = workers_.find(id);
  if (worker == nullptr || limits_.recycle_memory == 0) return;
  note_wear(*worker, bytes > worker->most_memory);
  balance(now);
}

void Scheduler::reload(Clock::time_point now) {
  make_room();
  replacement_.request_reload();
  balance(now);
}

void Scheduler::begin_reload() {
  replacement_.begin_reload();
  for (auto& [id, worker] : workers_.all()) {
    if (worker.state == WorkerState::starting || worker.state == WorkerState::ready) {
      replacement_.add_to_reload(worker);
    }
  }
}

void Scheduler::end_reload(bool success) {
  replacement_.end_reload();
  actions_.push({.kind = Kind::reloaded, .success = success});
}

void Scheduler::replace_next(Clock::time_point now) {
  if (closing_) return;
  while (replacement_.reloads() > 0) {
    if (!replacement_.reloading()) begin_reload();
    if (!replacement_.reload_done()) break;
    end_reload(true);
  }
  if (replacement_.busy()) return;
  if (Worker* const old = replacement_.next(now)) replacement_.begin(*old, start_worker());
}

}  // namespace tine::pool
