// A world of simulated workers and virtual time around a Scheduler, which checks each of its actions.
//
// It shares no code with the scheduler, and keeps what it knows in plain maps that it searches from end to
// end. Whoever drives it makes the choices: random numbers in the model test, an input in the fuzz target.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

#include "pool/scheduler.hpp"

namespace pool_world {

using namespace std::chrono_literals;
using tine::pool::Action;
using tine::pool::Clock;
using tine::pool::Limits;
using tine::pool::Scheduler;
using tine::pool::TaskId;
using tine::pool::TaskSpec;
using tine::pool::WorkerId;
using Milliseconds = std::chrono::milliseconds;
using Kind = Action::Kind;
using Why = Action::Why;

struct Broken : std::logic_error {
  using std::logic_error::logic_error;
};

inline void require(bool holds, const char* what) {
  if (!holds) throw Broken(what);
}

// Returns a number below the one that it is given, which is not 0.
using Choose = std::function<unsigned(unsigned)>;

struct SimTask {
  enum class State { queued, running, settled } state = State::queued;
  int priority = 0;
  unsigned level = 0;
  unsigned retries = 0;
  std::string key;
  Clock::time_point submitted;
  std::optional<Milliseconds> run_within;
  Clock::time_point within = Clock::time_point::max();
  Clock::time_point deadline = Clock::time_point::max();  // while it runs: the earlier one
  WorkerId worker = 0;
  bool cancelled = false;
  bool survived = false;      // its worker died, and it may be queued again
  std::uint64_t arrival = 0;  // in the queue
};

struct SimWorker {
  enum class State { starting, ready, exited } state = State::starting;
  bool stop = false;    // told to
  bool kill = false;    // told to
  bool lost = false;    // its channel has ended
  bool leaves = false;  // it was seen to take no more tasks
  bool bad_start = false;
  struct Place {
    unsigned level;
    bool told_to_cancel = false;
  };
  std::map<TaskId, Place> tasks;  // until it answers
  std::map<TaskId, Clock::time_point> given_up;
  Clock::time_point idle_since;

  bool starts() const { return state == State::starting && !stop && !kill && !lost; }
  bool takes() const { return state == State::ready && !stop && !kill && !lost && !leaves; }
};

inline Limits any_limits(const Choose& choose) {
  Limits limits;
  limits.max = 1 + choose(4);
  limits.min = choose(2) * choose(static_cast<unsigned>(limits.max) + 1);
  limits.concurrency = 1 + choose(3);
  limits.idle_timeout = Milliseconds(choose(3) * 100);
  limits.queue_limit = choose(8) == 0 ? choose(4) : 4 + choose(20);
  limits.drop_oldest = choose(2) == 0;
  limits.start_attempts = 1 + choose(3);
  limits.cancel_grace = Milliseconds(choose(3) * 50);
  if (choose(2) == 0) return limits;
  limits.recycle_tasks = choose(2) * choose(8);
  limits.recycle_memory = choose(2) * 150;
  limits.recycle_age = Milliseconds(choose(2) * 500);
  limits.recycle_jitter = choose(3) / 2.0;
  return limits;
}

class World {
 public:
  World(Limits limits, Choose choose)
      : limits_(with_sources(std::move(limits))), choose_(std::move(choose)), scheduler_(limits_) {
    recycles_ =
        limits_.recycle_tasks > 0 || limits_.recycle_memory > 0 || limits_.recycle_age.count() > 0;
    pass();
  }

  // One event, or some time.
  void step();
  // Closes the pool, lets everything end, and checks that it does.
  void finish();

 private:
  Limits with_sources(Limits limits) {
    limits.random = [this] { return choose_(8) / 8.0; };
    limits.backoff = [](unsigned failures) { return Milliseconds(10 * failures); };
    return limits;
  }

  bool one_in(unsigned n) { return choose_(n) == 0; }

  // --- events
  void submit();
  void cancel();
  void pass();
  void let_time_pass();
  void worker_event();
  void starting_event(WorkerId id, SimWorker& worker);
  void answer(WorkerId id, SimWorker& worker);
  void lose(WorkerId id, SimWorker& worker);
  void exit(WorkerId id, SimWorker& worker);
  void end(bool destroy);

  // --- actions
  void take_all();
  void check(const Action& action);
  void check_start(const Action& action);
  void check_run(const Action& action);
  void check_order(const SimTask& task, TaskId id, const SimWorker& worker);
  void check_key(SimTask& task, WorkerId worker);
  void check_settle(const Action& action);
  void check_queue_full(const SimTask& task, TaskId id) const;
  void check_idle_stop(const SimWorker& worker) const;
  void check_kill(const Action& action);

  // --- the state after them
  void check_state();
  void check_counts() const;
  void check_free_places() const;
  bool is_open(unsigned level, std::size_t allowance) const;
  bool needs_worker() const;
  bool has_no_place() const;
  std::size_t wanted_places() const;
  std::size_t workers_that_take() const;
  bool is_bound_elsewhere(const SimTask& task, const SimWorker* worker) const;
  std::size_t in_state(SimTask::State state) const;
  bool replaces() const { return recycles_ || reloads_ > 0 || reloaded_once_; }
  static Clock::time_point rank(const SimTask& task) {
    return task.submitted - std::chrono::seconds(task.priority);
  }

  Limits limits_;
  Choose choose_;
  Scheduler scheduler_;
  Clock::time_point now_ = Clock::time_point(1h);
  std::map<TaskId, SimTask> tasks_;        // those that are not settled
  std::map<WorkerId, SimWorker> workers_;  // those that have not exited
  std::map<std::string, WorkerId> keys_;
  std::set<std::string> unsure_keys_;
  TaskId last_task_ = 0;
  WorkerId last_worker_ = 0;
  std::size_t reloads_ = 0;
  unsigned highest_level_ = 0;
  unsigned untaken_ = 0;  // events since actions were last taken
  std::uint64_t last_arrival_ = 0;
  bool passing_ = false;  // the actions are those of a pass
  bool recycles_ = false;
  bool reloaded_once_ = false;
  bool full_ = false;
  bool gave_up_ = false;
  bool closing_ = false;
  bool destroyed_ = false;
  bool closed_ = false;
};

// --- events

inline void World::step() {
  switch (choose_(16)) {
    case 0:
    case 1:
    case 2:
    case 3: submit(); break;
    case 4: cancel(); break;
    case 5:
    case 6: let_time_pass(); break;
    case 7:
      if (!workers_.empty() && one_in(2)) {
        auto at = workers_.begin();
        std::advance(at, choose_(static_cast<unsigned>(workers_.size())));
        scheduler_.memory(at->first, choose_(200), now_);
      }
      break;
    case 8:
      if (one_in(32)) {
        scheduler_.reload(now_);
        ++reloads_;
        reloaded_once_ = true;
      }
      break;
    default: worker_event();
  }
  ++untaken_;
  if (!one_in(8)) take_all();
}

inline void World::submit() {
  SimTask task;
  task.submitted = now_;
  task.arrival = ++last_arrival_;
  task.priority = static_cast<int>(choose_(4)) - 1;
  task.retries = choose_(3);
  if (one_in(3)) task.key = std::string(1, static_cast<char>('a' + choose_(4)));
  if (one_in(4)) task.level = choose_(18);
  TaskSpec spec{
      .priority = task.priority, .key = task.key, .retries = task.retries, .level = task.level};
  if (one_in(4)) spec.within = Milliseconds(choose_(300));
  if (one_in(4)) spec.run_within = task.run_within = Milliseconds(1 + choose_(300));
  if (spec.within) task.within = now_ + *spec.within;
  const std::size_t queued_before = in_state(SimTask::State::queued);
  const TaskId id = scheduler_.submit(now_, spec);
  require(id == ++last_task_, "ids of tasks count from 1");
  if (task.level <= 16) highest_level_ = std::max(highest_level_, task.level);
  tasks_[id] = task;
  if (queued_before + 1 >= limits_.queue_limit) full_ = true;
}

inline void World::cancel() {
  if (last_task_ == 0) return;
  // Any one, also those that are settled.
  const TaskId id = last_task_ - choose_(static_cast<unsigned>(std::min<TaskId>(last_task_, 20)));
  scheduler_.cancel(id, now_);
  if (const auto found = tasks_.find(id); found != tasks_.end()) found->second.cancelled = true;
}

inline void World::let_time_pass() {
  if (untaken_ > 0) take_all();
  const auto next = scheduler_.next_pass();
  if (one_in(2) && next != tine::uv::no_deadline) {
    now_ = std::max(now_, next);
  } else {
    now_ += Milliseconds(choose_(100));
  }
  pass();
}

inline void World::pass() {
  scheduler_.pass(now_);
  passing_ = true;
  take_all();
  passing_ = false;
  for (const auto& [id, task] : tasks_) {
    const auto deadline = task.state == SimTask::State::queued ? task.within : task.deadline;
    require(deadline > now_, "a late task is settled");
  }
  require(scheduler_.next_pass() > now_, "what is due is done");
}

inline void World::worker_event() {
  if (untaken_ > 0) take_all();
  if (workers_.empty()) return;
  auto at = workers_.begin();
  std::advance(at, choose_(static_cast<unsigned>(workers_.size())));
  auto& [id, worker] = *at;
  if (worker.kill) return exit(id, worker);
  if (worker.stop) return one_in(3) ? lose(id, worker) : exit(id, worker);
  if (worker.state == SimWorker::State::starting) return starting_event(id, worker);
  if (one_in(16)) return one_in(2) ? lose(id, worker) : exit(id, worker);
  answer(id, worker);
}

inline void World::starting_event(WorkerId id, SimWorker& worker) {
  if (worker.bad_start) return exit(id, worker);
  if (one_in(20)) return lose(id, worker);
  worker.state = SimWorker::State::ready;
  worker.idle_since = now_;
  scheduler_.worker_ready(id, now_);
}

inline void World::answer(WorkerId id, SimWorker& worker) {
  if (worker.tasks.empty()) return;
  auto at = worker.tasks.begin();
  std::advance(at, choose_(static_cast<unsigned>(worker.tasks.size())));
  const TaskId task = at->first;
  worker.tasks.erase(at);
  worker.given_up.erase(task);
  worker.idle_since = now_;
  scheduler_.task_ended(id, task, now_);
  tasks_.erase(task);
}

inline void World::lose(WorkerId id, SimWorker& worker) {
  worker.lost = true;
  scheduler_.worker_lost(id, now_);
}

inline void World::exit(WorkerId id, SimWorker& worker) {
  const bool was_ready = worker.state == SimWorker::State::ready;
  ++last_arrival_;  // the same for all of them
  for (const auto& [task, told] : worker.tasks) {
    const auto found = tasks_.find(task);
    if (found == tasks_.end()) continue;
    found->second.survived = true;
    if (found->second.retries > 0 && limits_.queue_limit > 0) {
      --found->second.retries;
      found->second.state = SimTask::State::queued;
      found->second.arrival = last_arrival_;
      found->second.deadline = Clock::time_point::max();
    }
  }
  workers_.erase(id);
  if (was_ready) {
    scheduler_.worker_exited(id, now_);
  } else {
    scheduler_.worker_start_failed(id, now_);
  }
  if (in_state(SimTask::State::queued) >= limits_.queue_limit) full_ = true;
  // What is dropped for a retry is told after what runs instead.
  if (limits_.drop_oldest) untaken_ = 2;
  take_all();
}

inline void World::end(bool destroy) {
  closing_ = true;
  destroyed_ = destroyed_ || destroy;
  if (destroy) {
    scheduler_.destroy(now_);
  } else {
    scheduler_.close(now_);
  }
  ++untaken_;
  if (one_in(2)) take_all();
}

inline void World::finish() {
  if (one_in(8)) {
    end(false);
    for (unsigned i = choose_(30); i > 0; --i) step();
  }
  end(one_in(2));
  for (int rounds = 0; !closed_; ++rounds) {
    require(rounds < 2000, "a pool that is closed ends");
    take_all();
    const auto ids = workers_;
    for (const auto& [id, copy] : ids) {
      const auto found = workers_.find(id);
      if (found == workers_.end()) continue;
      auto& worker = found->second;
      if (worker.kill || worker.stop || worker.lost) {
        exit(id, worker);
      } else if (worker.state == SimWorker::State::starting) {
        starting_event(id, worker);
      } else {
        answer(id, worker);
      }
      take_all();
    }
    let_time_pass();
  }
  take_all();
  require(tasks_.empty() && workers_.empty(), "nothing is left of a closed pool");
  if (one_in(2)) {
    submit();
    cancel();
    end(one_in(2));
    pass();
  }
  Action action;
  require(!scheduler_.take(action), "nothing follows");
  require(scheduler_.next_pass() == tine::uv::no_deadline, "a closed pool has no timers");
}

// --- actions

inline void World::take_all() {
  Action action;
  while (scheduler_.take(action)) check(action);
  untaken_ = 0;
  gave_up_ = false;
  check_state();
}

inline void World::check(const Action& action) {
  const auto worker = workers_.find(action.worker);
  switch (action.kind) {
    case Kind::start_worker: return check_start(action);
    case Kind::run: return check_run(action);
    case Kind::settle: return check_settle(action);
    case Kind::kill_worker: return check_kill(action);
    case Kind::cancel_at_worker: {
      require(worker != workers_.end(), "a cancellation is for a living worker");
      const auto task = worker->second.tasks.find(action.task);
      if (task == worker->second.tasks.end()) return;
      require(!std::exchange(task->second.told_to_cancel, true), "a task is cancelled once");
      require(!tasks_.contains(action.task), "a cancelled task is settled first");
      return;
    }
    case Kind::stop_worker:
      require(worker != workers_.end(), "a living worker is stopped");
      require(worker->second.tasks.empty(), "a worker that is stopped has no task");
      require(!worker->second.kill && !std::exchange(worker->second.stop, true), "once");
      if (passing_ && !closing_) check_idle_stop(worker->second);
      return;
    case Kind::gave_up:
      gave_up_ = true;
      require(!destroyed_, "a pool that is destroyed does not give up");
      for (const auto& [id, other] : workers_) {
        require(!other.takes() || (replaces() && !other.tasks.empty()), "no worker is there");
      }
      return;
    case Kind::drain:
      require(full_, "the queue was full");
      if (untaken_ <= 1) full_ = false;
      return;
    case Kind::reloaded:
      require(reloads_ > 0, "each reload ends once");
      --reloads_;
      return;
    case Kind::closed:
      require(closing_ && !std::exchange(closed_, true), "closed comes once");
      require(workers_.empty() && tasks_.empty() && reloads_ == 0, "closed comes last");
      return;
  }
}

inline void World::check_start(const Action& action) {
  require(action.worker == last_worker_ + 1, "ids of workers count from 1");
  require(!destroyed_ || untaken_ > 0, "no worker is started after destroy()");
  require(untaken_ > 1 || replaces() || needs_worker(), "a worker is started because it is needed");
  last_worker_ = action.worker;
  workers_[action.worker].bad_start = one_in(6);
  const std::size_t most = limits_.max + highest_level_ + (replaces() ? 1 : 0);
  require(workers_.size() <= most, "not too many workers");
}

inline void World::check_run(const Action& action) {
  const auto found = tasks_.find(action.task);
  require(found != tasks_.end(), "a task that runs is not settled");
  SimTask& task = found->second;
  require(task.state == SimTask::State::queued, "a task is in one worker");
  const auto its_worker = workers_.find(action.worker);
  require(its_worker != workers_.end(), "a task is given to a living worker");
  SimWorker& worker = its_worker->second;
  require(worker.state == SimWorker::State::ready && !worker.stop,
          "a task is given to a ready worker");
  require(!worker.leaves, "a draining worker gets no task");
  // A kill or a loss may have come after the decision.
  require(untaken_ > 1 || worker.takes(), "a lost worker gets no task");
  require(worker.tasks.size() < limits_.concurrency, "a worker has not too many tasks");
  require(action.last_try == (task.retries == 0), "it is known which try is the last");
  if (untaken_ <= 1) {
    require(is_open(task.level, replaces() ? limits_.concurrency : 0),
            "levels leave room for the next");
    check_order(task, action.task, worker);
  }
  check_key(task, action.worker);
  task.deadline = task.within;
  if (task.run_within) task.deadline = std::min(task.deadline, now_ + *task.run_within);
  require(action.left.has_value() == (task.deadline != Clock::time_point::max()), "time is left");
  if (action.left && untaken_ <= 1) {
    require(now_ + *action.left == task.deadline, "the time that is left is right");
  }
  task.state = SimTask::State::running;
  task.survived = false;
  task.worker = action.worker;
  worker.tasks[action.task] = {.level = task.level};
}

inline bool World::is_bound_elsewhere(const SimTask& task, const SimWorker* worker) const {
  if (task.key.empty() || task.level > 0) return false;
  if (unsure_keys_.contains(task.key)) return true;
  const auto key = keys_.find(task.key);
  if (key == keys_.end()) return false;
  const auto found = workers_.find(key->second);
  return found != workers_.end() && found->second.takes() && &found->second != worker;
}

inline void World::check_order(const SimTask& task, TaskId id, const SimWorker& worker) {
  for (const auto& [other_id, other] : tasks_) {
    if (other.state != SimTask::State::queued || other_id == id) continue;
    const bool better =
        std::pair(rank(other), other_id) < std::pair(rank(task), id) && other.within > now_;
    if (!better || other.cancelled || other.level > 16) continue;
    // Its own worker may have no place.
    if (is_bound_elsewhere(other, &worker) || !is_open(other.level, 0)) continue;
    require(false, "the best ranked task runs first");
  }
}

// A worker that is being replaced has lost its keys, but which one that is is not known here. So if a nested
// task runs elsewhere, the key may have that worker from now on.
inline void World::check_key(SimTask& task, WorkerId worker) {
  if (task.key.empty()) return;
  const bool sure = !unsure_keys_.contains(task.key);
  if (sure && is_bound_elsewhere(task, &workers_.at(worker))) {
    require(replaces(), "a key keeps its worker");
    workers_.at(keys_.at(task.key)).leaves = true;
  }
  const auto known = keys_.find(task.key);
  const bool has_other = known != keys_.end() && known->second != worker &&
                         workers_.contains(known->second) && workers_.at(known->second).takes();
  if (task.level == 0) unsure_keys_.erase(task.key);
  if (task.level == 0 || !has_other) {
    keys_[task.key] = worker;
  } else if (replaces()) {
    unsure_keys_.insert(task.key);
  }
}

inline void World::check_settle(const Action& action) {
  const auto found = tasks_.find(action.task);
  require(found != tasks_.end(), "a task is settled once");
  const SimTask& task = found->second;
  switch (action.why) {
    case Why::aborted: require(task.cancelled, "it was cancelled"); break;
    case Why::timed_out: {
      const bool runs = task.state == SimTask::State::running;
      require((runs ? task.deadline : task.within) <= now_, "it is late");
      break;
    }
    case Why::queue_full:
      require(task.level > 16 || task.state == SimTask::State::queued, "only what is queued");
      if (task.level <= 16 && untaken_ <= 1) check_queue_full(task, action.task);
      break;
    case Why::worker_died:
      require(task.survived && !workers_.contains(action.worker), "its worker has exited");
      require(task.worker == action.worker, "the one that had it");
      require(task.state == SimTask::State::running ||
                  in_state(SimTask::State::queued) > limits_.queue_limit,
              "no retry is left");
      break;
    case Why::worker_start_failed:
      require(task.state == SimTask::State::queued, "only what is queued is given up");
      require(gave_up_ || (task.level > 0 && has_no_place()), "workers cannot be started");
      break;
    case Why::pool_closed: require(closing_, "the pool is closed"); break;
  }
  if (task.state == SimTask::State::running && workers_.contains(task.worker)) {
    workers_.at(task.worker).given_up[action.task] = now_;
  }
  tasks_.erase(found);
}

inline void World::check_queue_full(const SimTask& task, TaskId id) const {
  require(in_state(SimTask::State::queued) > limits_.queue_limit, "the queue is full");
  for (const auto& [other_id, other] : tasks_) {
    if (other.state != SimTask::State::queued || other_id == id) continue;
    const bool right =
        limits_.drop_oldest ? task.arrival <= other.arrival : task.arrival >= other.arrival;
    require(right, "the right one is dropped");
  }
}

inline void World::check_idle_stop(const SimWorker& worker) const {
  require(now_ - worker.idle_since >= limits_.idle_timeout,
          "a worker is stopped when its time is over");
  require(workers_that_take() >= limits_.min, "min workers are kept");
}

inline void World::check_kill(const Action& action) {
  const auto found = workers_.find(action.worker);
  require(found != workers_.end() && !std::exchange(found->second.kill, true), "killed once");
  const SimWorker& worker = found->second;
  bool due = destroyed_ || worker.lost;
  for (const auto& [task, since] : worker.given_up)
    due = due || since + limits_.cancel_grace <= now_;
  require(due, "a worker has its time to answer");
}

// --- the state

inline std::size_t World::in_state(SimTask::State state) const {
  return static_cast<std::size_t>(
      std::count_if(tasks_.begin(), tasks_.end(),
                    [state](const auto& task) { return task.second.state == state; }));
}

// Whether a task of this level may start. A worker that is being replaced does not count, but is not known
// here: the allowance is for its tasks.
inline bool World::is_open(unsigned level, std::size_t allowance) const {
  for (unsigned m = level; m <= 16; ++m) {
    std::size_t running = 0;
    for (const auto& [id, worker] : workers_) {
      if (!worker.takes()) continue;
      for (const auto& [task, place] : worker.tasks) running += place.level <= m ? 1 : 0;
    }
    if (running >= (limits_.max + m) * limits_.concurrency + allowance) return false;
  }
  return true;
}

inline void World::check_state() {
  check_counts();
  check_free_places();
  if (in_state(SimTask::State::queued) == 0) return;
  bool moves = scheduler_.next_pass() != tine::uv::no_deadline;
  for (const auto& [id, worker] : workers_)
    moves = moves || !worker.takes() || !worker.tasks.empty();
  require(moves, "what is queued has a future");
}

inline std::size_t World::workers_that_take() const {
  return static_cast<std::size_t>(std::count_if(
      workers_.begin(), workers_.end(), [](const auto& worker) { return worker.second.takes(); }));
}

// A worker that is being replaced takes no more tasks.
inline bool World::has_no_place() const {
  for (const auto& [id, worker] : workers_) {
    if (replaces() && !worker.tasks.empty()) continue;
    if (worker.takes() && worker.tasks.size() < limits_.concurrency) return false;
  }
  return true;
}

// How many of the tasks that wait can use a place in any worker. Those of a key need the same one.
inline std::size_t World::wanted_places() const {
  std::size_t wanted = 0;
  std::set<std::string> keys;
  for (const auto& [id, task] : tasks_) {
    if (task.state != SimTask::State::queued || is_bound_elsewhere(task, nullptr)) continue;
    if (task.key.empty() || task.level > 0 || keys.insert(task.key).second) ++wanted;
  }
  return wanted;
}

inline bool World::needs_worker() const {
  std::size_t alive = 0;
  std::size_t places = 0;
  for (const auto& [id, worker] : workers_) {
    if (!worker.takes() && !worker.starts()) continue;
    ++alive;
    places += limits_.concurrency - worker.tasks.size();
  }
  return alive < limits_.min || wanted_places() > places;
}

inline void World::check_counts() const {
  std::size_t idle = 0;
  std::size_t starting = 0;
  for (const auto& [id, worker] : workers_) {
    const bool up = !worker.stop && !worker.kill && !worker.lost;
    if (up && worker.state == SimWorker::State::starting) ++starting;
    if (up && worker.state == SimWorker::State::ready && worker.tasks.empty()) ++idle;
  }
  require(scheduler_.queued() == in_state(SimTask::State::queued), "queued()");
  require(scheduler_.queued() <= limits_.queue_limit, "the queue has a limit");
  require(scheduler_.running() == in_state(SimTask::State::running), "running()");
  require(scheduler_.workers() == workers_.size(), "workers()");
  require(scheduler_.starting() == starting, "starting()");
  require(scheduler_.idle() == idle, "idle()");
}

// A worker that is being replaced takes no more tasks, so while that may be, only those without a task count.
inline void World::check_free_places() const {
  for (const auto& [id, worker] : workers_) {
    if (!worker.takes() || worker.tasks.size() >= limits_.concurrency) continue;
    if (replaces() && !worker.tasks.empty()) continue;
    for (const auto& [task_id, task] : tasks_) {
      if (task.state != SimTask::State::queued || is_bound_elsewhere(task, &worker)) continue;
      require(!is_open(task.level, 0), "no place is free while a task waits");
    }
  }
}

}  // namespace pool_world
