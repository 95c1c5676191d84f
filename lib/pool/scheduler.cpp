#include "pool/scheduler.hpp"

#include <algorithm>
#include <new>
#include <utility>

namespace tine::pool {

namespace {

using Kind = Action::Kind;

// Keeps their products and what is computed in floating point within 64 bits.
Limits in_range(Limits limits) {
  constexpr std::size_t most = 1'000'000'000;
  limits.max = std::clamp<std::size_t>(limits.max, 1, most);
  limits.min = std::min(limits.min, limits.max);
  limits.concurrency = std::clamp<std::size_t>(limits.concurrency, 1, most);
  limits.recycle_tasks = std::min(limits.recycle_tasks, most * most);
  limits.recycle_memory = std::min(limits.recycle_memory, most * most);
  limits.recycle_age = std::min(limits.recycle_age, std::chrono::milliseconds(most * most));
  return limits;
}

}  // namespace

Scheduler::Scheduler(Limits limits)
    : limits_(in_range(std::move(limits))),
      workers_(limits_),
      pace_(limits_),
      replacement_(limits_) {}

Scheduler::~Scheduler() = default;

// Room for all that may follow without a new task or worker: each task that is in a worker may be given up
// there, each worker may be stopped and killed, and each reload may end. Ten more are for the event itself.
void Scheduler::make_room() {
  actions_.reserve(2 * tasks_in_workers_ + 2 * workers_.size() + replacement_.reloads() + 10);
}

// --- tasks

TaskId Scheduler::submit(Clock::time_point now, const TaskSpec& spec) {
  make_room();
  Task& task = add(now, spec);
  if (closing_) {
    settle_unqueued(task, Why::pool_closed);
  } else if (spec.level > deepest) {
    settle_unqueued(task, Why::queue_full);
  } else {
    const TaskId id = task.id;
    pace_.begin_anew();
    enqueue(task);
    dispatch_if_possible(now);
    keep_queue_limit();
    balance(now);
    return id;
  }
  return task.id;
}

Task& Scheduler::add(Clock::time_point now, const TaskSpec& spec) {
  const auto added = tasks_.try_emplace(last_task_ + 1).first;
  Task& task = added->second;
  try {
    task.id = added->first;
    task.place.make(task);
    if (spec.within || spec.run_within) task.due.make(task);
    if (!spec.key.empty()) task.key = &keys_.add_task(spec.key);
  } catch (...) {
    tasks_.erase(added);
    throw;
  }
  ++last_task_;
  task.level = std::min(spec.level, deepest);
  task.retries = spec.retries;
  task.rank = now - std::chrono::seconds(spec.priority);
  if (spec.within) task.deadline = uv::deadline_after(now, *spec.within);
  if (spec.run_within) task.run_within = *spec.run_within;
  return task;
}

void Scheduler::enqueue(Task& task) {
  task.state = TaskState::queued;
  queue_.add(task);
  if (task.deadline != uv::no_deadline) {
    deadlines_.put(task.due, task.deadline);
  } else {
    Deadlines::leave(task.due);
  }
  keyed_changed(task);
}

void Scheduler::keyed_changed(const Task& task) {
  if (task.key != nullptr && task.key->worker != nullptr) workers_.keyed_changed(*task.key->worker);
}

void Scheduler::unqueue(Task& task) {
  queue_.remove(task);
  keyed_changed(task);
}

// The task that has come last is the one without a place, or the one that has waited longest.
void Scheduler::keep_queue_limit() {
  if (queue_.size() > limits_.queue_limit) {
    settle_queued(limits_.drop_oldest ? *queue_.oldest() : *queue_.newest(), Why::queue_full);
  }
  if (queue_.size() >= limits_.queue_limit && limits_.queue_limit > 0) was_full_ = true;
}

void Scheduler::settle_queued(Task& task, Why why) {
  unqueue(task);
  settle_unqueued(task, why);
}

void Scheduler::settle_unqueued(Task& task, Why why) {
  Deadlines::leave(task.due);
  task.state = TaskState::settled;
  task.why = why;
  settled_.push_back(task);
  count(why);
}

void Scheduler::settle_all_queued(Why why) {
  while (Task* const task = queue_.oldest()) settle_queued(*task, why);
}

void Scheduler::settle_nested() {
  while (Task* const task = queue_.best(1)) settle_queued(*task, Why::worker_start_failed);
}

void Scheduler::count(Why why) {
  if (why == Why::aborted) ++cancelled_;
  if (why == Why::timed_out) ++timed_out_;
}

void Scheduler::cancel(TaskId id, Clock::time_point now) {
  const auto found = tasks_.find(id);
  if (found == tasks_.end()) return;
  Task& task = found->second;
  if (task.state == TaskState::running && !task.due.is_made()) task.due.make(task);
  make_room();
  give_up(task, Why::aborted, now);
  balance(now);
}

void Scheduler::give_up(Task& task, Why why, Clock::time_point now) {
  if (task.state == TaskState::queued) return settle_queued(task, why);
  if (task.state != TaskState::running) return;
  Worker& worker = *task.worker;
  settle_running(task, why);
  if (worker.state == WorkerState::killed) return;
  actions_.push({.kind = Kind::cancel_at_worker, .worker = worker.id, .task = task.id});
  deadlines_.put(task.due, uv::deadline_after(now, limits_.cancel_grace));
}

// Its slot stays occupied.
void Scheduler::settle_running(Task& task, Why why) {
  Deadlines::leave(task.due);
  task.state = TaskState::cancelling;
  --running_;
  count(why);
  actions_.push({.kind = Kind::settle, .worker = task.worker->id, .task = task.id, .why = why});
}

void Scheduler::overdue(Task& task, Clock::time_point now) {
  if (task.state == TaskState::cancelling) return kill(*task.worker);
  give_up(task, Why::timed_out, now);
}

void Scheduler::task_ended(WorkerId id, TaskId task_id, Clock::time_point now) {
  const auto found = tasks_.find(task_id);
  if (found == tasks_.end()) return;
  Task& task = found->second;
  Worker* const worker = task.worker;
  if (worker == nullptr || worker->id != id) return;
  if (task.state == TaskState::running) --running_;
  free_slot(task, now);
  erase(task);
  ++worker->done;
  pace_.task_done();
  note_wear(*worker, limits_.recycle_tasks > 0 && worker->done >= worker->most_tasks);
  if (worker->state == WorkerState::draining && worker->occupied == 0) stop(*worker);
  balance(now);
}

void Scheduler::free_slot(Task& task, Clock::time_point now) {
  --tasks_in_workers_;
  workers_.take_back(*task.worker, task, now);
}

void Scheduler::erase(Task& task) noexcept {
  Deadlines::leave(task.due);
  if (task.key != nullptr) keys_.remove_task(*task.key);
  tasks_.erase(task.id);
}

// --- dispatch

// What there is no memory for is tried again a little later.
void Scheduler::balance(Clock::time_point now) noexcept {
  again_at_ = uv::no_deadline;
  try {
    dispatch(now);
    replace_next(now);
    start_workers(now);
  } catch (const std::bad_alloc&) {
    again_at_ = now + std::chrono::milliseconds(10);
  }
  note_drain();
  wind_down();
}

void Scheduler::dispatch_if_possible(Clock::time_point now) noexcept {
  try {
    dispatch(now);
  } catch (const std::bad_alloc&) {
    // balance() follows
  }
}

void Scheduler::dispatch(Clock::time_point now) {
  while (dispatch_one(now)) {
  }
}

// Returns false if no task may run.
bool Scheduler::dispatch_one(Clock::time_point now) {
  if (queue_.size() == 0 || workers_.least_loaded() == nullptr) return false;
  make_room();
  const unsigned lowest_level = workers_.levels().lowest_open();
  Task* task = queue_.best(lowest_level);
  Worker* worker = workers_.least_loaded();
  Worker* const keyed = lowest_level == 0 ? workers_.best_keyed() : nullptr;
  if (keyed != nullptr && (task == nullptr || is_better(keyed->keyed.first(), *task))) {
    task = &keyed->keyed.first();
    worker = keyed;
  } else if (task == nullptr) {
    return false;
  } else if (Worker* const own = task->key != nullptr ? task->key->worker : nullptr) {
    if (workers_.has_place(*own)) worker = own;  // nested: it does not wait for a busy one
  }
  if (task->deadline <= now) {
    settle_queued(*task, Why::timed_out);
  } else {
    run(*task, *worker, now);
  }
  return true;
}

void Scheduler::run(Task& task, Worker& worker, Clock::time_point now) {
  unqueue(task);
  task.state = TaskState::running;
  workers_.give(worker, task);
  ++running_;
  ++tasks_in_workers_;
  use_key(task, worker);
  actions_.push({.kind = Kind::run,
                 .worker = worker.id,
                 .task = task.id,
                 .left = set_run_deadline(task, now),
                 .last_try = task.retries == 0});
}

// The other tasks of the key wait for this worker from now on.
void Scheduler::use_key(const Task& task, Worker& worker) {
  if (task.key == nullptr) return;
  if (task.key->worker != nullptr) return keys_.touch(*task.key);
  Key* const forgotten = keys_.remember(*task.key, worker);
  queue_.bind(*task.key);
  workers_.keyed_changed(worker);
  if (forgotten != nullptr) forget(*forgotten);
}

void Scheduler::forget(Key& key) {
  Worker& worker = *key.worker;
  queue_.release(key);
  keys_.forget(key);
  workers_.keyed_changed(worker);
}

std::optional<std::chrono::milliseconds> Scheduler::set_run_deadline(Task& task,
                                                                     Clock::time_point now) {
  const auto until = std::min(task.deadline, uv::deadline_after(now, task.run_within));
  if (until == uv::no_deadline) return std::nullopt;
  deadlines_.put(task.due, until);
  return std::chrono::ceil<std::chrono::milliseconds>(until - now);
}

// --- time

void Scheduler::pass(Clock::time_point now) {
  begun_ = true;
  while (!deadlines_.empty() && deadlines_.first_key() <= now) overdue(deadlines_.first(), now);
  while (Worker* const worker = workers_.take_too_old(now)) note_wear(*worker, true);
  stop_idle(now);
  balance(now);
}

Clock::time_point Scheduler::next_pass() const {
  auto next = std::min(again_at_, workers_.next_age());
  if (!deadlines_.empty()) next = std::min(next, deadlines_.first_key());
  const Worker* const idle = may_stop_idle() ? workers_.longest_idle() : nullptr;
  if (idle != nullptr) {
    next = std::min(next, uv::deadline_after(idle->idle_since, limits_.idle_timeout));
  }
  if (again_at_ != uv::no_deadline || closed_) return next;
  if (lacks_worker()) next = std::min(next, pace_.next_start(workers_.starting()));
  return closing_ ? next : std::min(next, replacement_.next_try());
}

// --- the end

void Scheduler::close(Clock::time_point now) {
  closing_ = true;
  balance(now);
}

void Scheduler::destroy(Clock::time_point now) {
  closing_ = true;
  destroyed_ = true;
  settle_all_queued(Why::pool_closed);
  for (auto& [id, worker] : workers_.all()) {
    for (Task* task = worker.tasks.first(); task != nullptr; task = worker.tasks.after(*task)) {
      if (task->state == TaskState::running) settle_running(*task, Why::pool_closed);
    }
    if (worker.state != WorkerState::killed) kill(worker);
  }
  balance(now);
}

// After close(), a worker without a task is not needed once nothing is queued.
void Scheduler::wind_down() {
  if (!closing_) return;
  while (replacement_.reloads() > 0) end_reload(false);
  if (queue_.size() > 0 || closed_) return;
  while (Worker* const worker = workers_.longest_idle()) stop(*worker);
  if (workers_.starting() > 0) {
    for (auto& [id, worker] : workers_.all()) {
      if (worker.state == WorkerState::starting) stop(worker);
    }
  }
  closed_ = workers_.size() == 0;
}

bool Scheduler::take(Action& action) {
  if (must_settle_) settle_given_up();
  if (!actions_.empty()) {
    action = actions_.pop();
    if (action.kind == Kind::gave_up) {
      giving_up_ = false;
      must_settle_ = true;
    }
    return true;
  }
  if (Task* const task = settled_.first()) {
    action = {.kind = Kind::settle, .task = task->id, .why = task->why};
    settled_.remove(*task);
    erase(*task);
    return true;
  }
  if (!closed_ || std::exchange(closed_told_, true)) return false;
  action = {.kind = Kind::closed};
  return true;
}

void Scheduler::settle_given_up() {
  must_settle_ = false;
  settle_all_queued(Why::worker_start_failed);
  note_drain();
  wind_down();
}

void Scheduler::note_drain() {
  if (!was_full_ || queue_.size() > limits_.queue_limit / 2) return;
  was_full_ = false;
  actions_.push({.kind = Kind::drain});
}

}  // namespace tine::pool
