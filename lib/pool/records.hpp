#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "pool/action.hpp"
#include "pool/list.hpp"
#include "pool/ordered.hpp"
#include "uv/deadline.hpp"

namespace tine::pool {

using uv::Clock;

struct Key;
struct Task;
struct Worker;

// Levels of nesting are from 0 to this one.
inline constexpr unsigned deepest = 16;

// Tasks that wait, the best one first. All tasks rise by one a second, so the order does not change: the rank
// is the time of submission less the priority in seconds.
using Ranking = Ordered<Clock::time_point, Task>;
using Deadlines = Ordered<Clock::time_point, Task>;

enum class TaskState { queued, running, cancelling, settled };

struct Task {
  TaskId id = 0;
  TaskState state = TaskState::queued;
  unsigned level = 0;
  unsigned retries = 0;
  Clock::time_point rank = {};
  Clock::time_point deadline = uv::no_deadline;  // counted from its submission
  std::chrono::milliseconds run_within = std::chrono::milliseconds::max();
  Key* key = nullptr;        // null: none
  Worker* worker = nullptr;  // null: it is in none
  Action::Why why = {};      // settled

  Link<Task> in_list = {};  // of queued tasks by age, of its worker, or of settled tasks
  Ranking::Ticket place = {};
  Deadlines::Ticket due = {};

  bool waits_for_key() const { return key != nullptr && level == 0; }
};

// A key, while a task has it or a worker is remembered for it.
//
// Of its queued tasks that wait for the worker of their key, only the best one competes with other tasks. So
// a key gets and loses its worker in logarithmic time.
struct Key {
  std::string_view name = {};
  std::size_t tasks = 0;     // that have it
  Worker* worker = nullptr;  // ready; null: any will do
  Task* best = nullptr;      // null: none is queued
  Ranking others = {};
  Link<Key> by_use = {};
  Link<Key> of_worker = {};
};

enum class WorkerState { starting, ready, draining, stopping, killed };

struct Worker {
  using ByLoad = Ordered<std::pair<std::size_t, std::uint64_t>, Worker>;
  using ByTask = Ordered<std::pair<Clock::time_point, TaskId>, Worker>;
  using ByTime = Ordered<Clock::time_point, Worker>;

  WorkerId id = 0;
  WorkerState state = WorkerState::starting;
  std::size_t occupied = 0;  // tasks that it has, those that were given up too
  List<Task, &Task::in_list> tasks = {};
  List<Key, &Key::of_worker> keys = {};
  Ranking keyed = {};  // the best queued task of each of its keys

  unsigned attempt = 0;  // see StartPace
  bool was_ready = false;
  bool told_to_end = false;
  Clock::time_point ready_at = {};
  Clock::time_point idle_since = {};
  std::uint64_t last_use = 0;
  std::size_t done = 0;  // tasks that it has ended

  // When it is to be replaced.
  std::size_t most_tasks = 0;
  std::size_t most_memory = 0;

  Link<Worker> in_worn = {};
  Link<Worker> in_reload = {};
  ByLoad::Ticket by_load = {};
  ByTask::Ticket by_keyed = {};
  ByTime::Ticket by_idleness = {};
  ByTime::Ticket by_age = {};
};

}  // namespace tine::pool
