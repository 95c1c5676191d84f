#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "pool/action.hpp"
#include "pool/action_queue.hpp"
#include "pool/key_table.hpp"
#include "pool/limits.hpp"
#include "pool/records.hpp"
#include "pool/replacement.hpp"
#include "pool/start_pace.hpp"
#include "pool/task_queue.hpp"
#include "pool/worker_table.hpp"
#include "uv/deadline.hpp"

namespace tine::pool {

using uv::Clock;

struct TaskSpec {
  int priority = 0;
  std::string_view key = {};
  // From now, and from each start of the task.
  std::optional<std::chrono::milliseconds> within = {};
  std::optional<std::chrono::milliseconds> run_within = {};
  unsigned retries = 0;
  unsigned level = 0;  // of nesting
};

// Decides which task runs in which worker and when, and when workers are started, replaced and stopped.
//
// Events and the time go in, and actions come out of take(): the owner carries them out in their order,
// after each event. The time may not go backwards. Events about a worker or a task that is gone are ignored,
// so it does no harm if an answer, a cancellation and a death cross each other.
//
// A task is queued, then running in a worker, then settled. It runs again only after its worker has exited.
// A running task that is cancelled or late is settled at once, but its slot in the worker is free when the
// worker has answered. A task whose worker has died is not tried again if the queue is full and refuses tasks.
//
// A worker is starting, ready, draining, and stopping or killed. Draining, it finishes its tasks. After too many
// failed starts in a row, the scheduler gives up what is queued. While a worker takes tasks, it gives up only
// nested ones, and those only if no worker has a place.
//
// Nested tasks: a task may wait for another one that it has made, of the level after its own. A task of level
// l starts only while, for each level m >= l, fewer than (max + m) * concurrency tasks of the levels up to m
// run. So the tasks up to a level never fill the places of the level after it: whenever tasks of a level are
// held up, a running task of the deepest full level waits for one that may start, or ends by itself.
//
// If memory runs out, submit(), cancel() and reload() throw std::bad_alloc, and nothing has changed. All
// other events are always taken; tasks and workers that cannot be started for lack of memory are started
// a little later.
class Scheduler {
 public:
  // The first pass() starts the workers that are always kept.
  explicit Scheduler(Limits limits);
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;
  ~Scheduler();

  TaskId submit(Clock::time_point now, const TaskSpec& task);
  // The user wants the task no more.
  void cancel(TaskId task, Clock::time_point now);

  void worker_ready(WorkerId worker, Clock::time_point now);
  // It ended or was killed before it was ready, and is reaped.
  void worker_start_failed(WorkerId worker, Clock::time_point now);
  // Its channel has ended. It is killed if it has not been told to end; its tasks wait for its exit.
  void worker_lost(WorkerId worker, Clock::time_point now);
  // It was ready, and is reaped.
  void worker_exited(WorkerId worker, Clock::time_point now);
  // The worker has answered, so the slot is free. If the task was not settled before, the caller settles it.
  void task_ended(WorkerId worker, TaskId task, Clock::time_point now);
  // How much memory the worker has.
  void memory(WorkerId worker, std::size_t bytes, Clock::time_point now);

  // Replaces all workers that are there now, one after the other. Ends with one action `reloaded`,
  // which tells of a failure if the pool is closed meanwhile.
  void reload(Clock::time_point now);
  // Takes no more tasks, does those that it has, and stops all workers.
  void close(Clock::time_point now);
  // Settles all tasks, and kills all workers.
  void destroy(Clock::time_point now);

  // Does what is due: deadlines, kills, idle workers, and starts that had to wait.
  void pass(Clock::time_point now);
  // When pass() is to be called next. uv::no_deadline: it need not be.
  Clock::time_point next_pass() const;

  // Takes the next action. False if there is none.
  bool take(Action& action);

  std::size_t queued() const { return queue_.size(); }
  std::size_t running() const { return running_; }  // without those that are settled already
  std::size_t workers() const { return workers_.size(); }
  std::size_t idle() const { return workers_.idle(); }
  std::size_t starting() const { return workers_.starting(); }
  std::uint64_t cancelled() const { return cancelled_; }
  std::uint64_t timed_out() const { return timed_out_; }
  std::uint64_t retried() const { return retried_; }
  std::uint64_t crashed() const { return crashed_; }
  std::uint64_t recycled() const { return replacement_.done(); }

  // Nested tasks that are deeper are refused.
  static constexpr unsigned deepest_level = deepest;
  // Keys that are remembered. The least recently used one is forgotten first.
  static constexpr std::size_t most_keys = KeyTable::most_remembered;

 private:
  using Why = Action::Why;

  void make_room();

  // --- tasks
  Task& add(Clock::time_point now, const TaskSpec& spec);
  void enqueue(Task& task);
  void unqueue(Task& task);
  void keyed_changed(const Task& task);
  void keep_queue_limit();
  void settle_queued(Task& task, Why why);
  void settle_unqueued(Task& task, Why why);
  void settle_all_queued(Why why);
  void settle_nested();
  void settle_given_up();
  void settle_running(Task& task, Why why);
  void give_up(Task& task, Why why, Clock::time_point now);
  void overdue(Task& task, Clock::time_point now);
  void free_slot(Task& task, Clock::time_point now);
  void erase(Task& task) noexcept;
  void count(Why why);
  void note_drain();

  // --- which task runs where
  void balance(Clock::time_point now) noexcept;
  void dispatch_if_possible(Clock::time_point now) noexcept;
  void dispatch(Clock::time_point now);
  bool dispatch_one(Clock::time_point now);
  void run(Task& task, Worker& worker, Clock::time_point now);
  std::optional<std::chrono::milliseconds> set_run_deadline(Task& task, Clock::time_point now);
  void use_key(const Task& task, Worker& worker);
  void forget(Key& key);

  // --- workers
  bool lacks_worker() const;
  void start_workers(Clock::time_point now);
  Worker& start_worker();
  void retire(Worker& worker, WorkerState state);
  void stop(Worker& worker);
  void kill(Worker& worker);
  void end(Worker& worker);
  void drain(Worker& worker);
  void gone(WorkerId id, Clock::time_point now);
  void note_end(const Worker& worker, Clock::time_point now);
  void leave_dead_worker(Task& task, Clock::time_point now);
  void give_up_if_exhausted();
  bool may_stop_idle() const;
  void stop_idle(Clock::time_point now);
  void wind_down();

  // --- replacing
  void note_wear(Worker& worker, bool worn);
  void replace_next(Clock::time_point now);
  void begin_reload();
  void end_reload(bool success);

  const Limits limits_;
  ActionQueue actions_;
  std::unordered_map<TaskId, Task> tasks_;
  TaskQueue queue_;
  KeyTable keys_;
  WorkerTable workers_;
  StartPace pace_;
  Replacement replacement_;
  List<Task, &Task::in_list>
      settled_;          // they were queued, and their settle actions are to be taken
  Deadlines deadlines_;  // of tasks; of slots whose task is settled, when to kill
  Clock::time_point again_at_ = uv::no_deadline;  // when to try again what there was no memory for

  TaskId last_task_ = 0;
  std::size_t running_ = 0;           // tasks
  std::size_t tasks_in_workers_ = 0;  // those that are settled already, too
  std::uint64_t cancelled_ = 0;
  std::uint64_t timed_out_ = 0;
  std::uint64_t retried_ = 0;
  std::uint64_t crashed_ = 0;

  bool begun_ = false;        // the first pass() has come
  bool was_full_ = false;     // "drain" is to follow
  bool giving_up_ = false;    // gave_up is to be taken
  bool must_settle_ = false;  // gave_up is taken, and what is queued is to be settled
  bool closing_ = false;
  bool destroyed_ = false;
  bool closed_ = false;  // no worker is left, and none will be started
  bool closed_told_ = false;
};

}  // namespace tine::pool
