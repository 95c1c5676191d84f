// A scheduler with a clock of its own, whose actions are read as text.
#pragma once

#include <chrono>
#include <string>

#include "pool/scheduler.hpp"

// Writes an action as tests name it: "run 1 in 2", "settle 1 timed_out".
inline std::string written(const tine::pool::Action& action) {
  using Kind = tine::pool::Action::Kind;
  static constexpr const char* reasons[] = {"aborted",     "timed_out",           "queue_full",
                                            "worker_died", "worker_start_failed", "pool_closed"};
  const std::string worker = std::to_string(action.worker);
  const std::string task = std::to_string(action.task);
  switch (action.kind) {
    case Kind::start_worker: return "start " + worker;
    case Kind::run: return "run " + task + " in " + worker;
    case Kind::cancel_at_worker: return "cancel " + task + " in " + worker;
    case Kind::settle: return "settle " + task + " " + reasons[static_cast<int>(action.why)];
    case Kind::stop_worker: return "stop " + worker;
    case Kind::kill_worker: return "kill " + worker;
    case Kind::gave_up: return "gave up";
    case Kind::drain: return "drain";
    case Kind::reloaded: return action.success ? "reloaded" : "not reloaded";
    case Kind::closed: return "closed";
  }
  return "?";
}

class ScriptedPool {
 public:
  using Milliseconds = std::chrono::milliseconds;

  explicit ScriptedPool(const tine::pool::Limits& limits) : scheduler(limits) {}

  tine::pool::TaskId submit(const tine::pool::TaskSpec& task = {}) {
    return scheduler.submit(now, task);
  }
  void ready(tine::pool::WorkerId worker) { scheduler.worker_ready(worker, now); }
  void start_fails(tine::pool::WorkerId worker) { scheduler.worker_start_failed(worker, now); }
  void lose(tine::pool::WorkerId worker) { scheduler.worker_lost(worker, now); }
  void exit(tine::pool::WorkerId worker) { scheduler.worker_exited(worker, now); }
  void end(tine::pool::WorkerId worker, tine::pool::TaskId task) {
    scheduler.task_ended(worker, task, now);
  }
  void cancel(tine::pool::TaskId task) { scheduler.cancel(task, now); }
  void pass(Milliseconds time = {}) {
    now += time;
    scheduler.pass(now);
  }
  // Returns how long it is to the next pass.
  Milliseconds next_pass() const {
    return std::chrono::ceil<Milliseconds>(scheduler.next_pass() - now);
  }
  bool has_timer() const { return scheduler.next_pass() != tine::uv::no_deadline; }

  // Makes all workers from the first to this one ready.
  void ready_up_to(tine::pool::WorkerId most) {
    for (tine::pool::WorkerId worker = 1; worker <= most; ++worker) ready(worker);
  }

  // Takes all actions. "" if there are none.
  std::string actions() {
    std::string text;
    tine::pool::Action action;
    while (scheduler.take(action)) {
      last = action;
      text += (text.empty() ? "" : ", ") + written(action);
    }
    return text;
  }

  tine::pool::Clock::time_point now{std::chrono::hours(1)};
  tine::pool::Scheduler scheduler;
  tine::pool::Action last;  // the one that was taken last
};
