// The scheduler alone: which action follows which event.
#include "pool/scheduler.hpp"

#include <chrono>
#include <cstddef>
#include <limits>
#include <string>

#include "pool/scripted_pool.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using tine::pool::Limits;
using tine::pool::Scheduler;

namespace {

// A pool whose first worker is ready.
struct OneWorker : ScriptedPool {
  explicit OneWorker(Limits limits = {}) : ScriptedPool(with_one(limits)) {
    pass();
    ready(1);
    actions();
  }
  static Limits with_one(Limits limits) {
    limits.min = 1;
    return limits;
  }
};

// A pool with two workers that are ready.
struct TwoWorkers : ScriptedPool {
  explicit TwoWorkers(Limits limits = {}) : ScriptedPool(with_two(limits)) {
    pass();
    ready(1);
    ready(2);
    actions();
  }
  static Limits with_two(Limits limits) {
    limits.min = limits.max = 2;
    return limits;
  }
};

}  // namespace

// --- tasks and workers

TEST_CASE("scheduler: a task starts a worker and runs when that is ready", "[pool]") {
  ScriptedPool pool({});
  CHECK(pool.submit() == 1);
  CHECK(pool.actions() == "start 1");
  CHECK(pool.scheduler.queued() == 1);
  CHECK(pool.scheduler.starting() == 1);
  pool.ready(1);
  CHECK(pool.actions() == "run 1 in 1");
  CHECK(pool.scheduler.running() == 1);
  CHECK(pool.scheduler.queued() == 0);
  pool.end(1, 1);
  CHECK(pool.actions() == "");
  CHECK(pool.scheduler.running() == 0);
  CHECK(pool.scheduler.idle() == 1);
}

TEST_CASE("scheduler: there are as many workers as tasks need, and at most max", "[pool]") {
  ScriptedPool pool({.max = 3, .concurrency = 2});
  for (int i = 0; i < 2; ++i) pool.submit();
  CHECK(pool.actions() == "start 1");
  for (int i = 0; i < 2; ++i) pool.submit();
  CHECK(pool.actions() == "start 2");
  for (int i = 0; i < 9; ++i) pool.submit();
  CHECK(pool.actions() == "start 3");
  pool.ready(1);
  CHECK(pool.actions() == "run 1 in 1, run 2 in 1");
}

TEST_CASE("scheduler: a worker with a free place is used before another one is started", "[pool]") {
  OneWorker pool({.max = 4});
  pool.submit();
  CHECK(pool.actions() == "run 1 in 1");
  pool.submit();
  CHECK(pool.actions() == "start 2");
}

TEST_CASE("scheduler: the first pass starts min workers, which are kept alive", "[pool]") {
  ScriptedPool pool({.min = 2, .max = 3, .idle_timeout = 10ms});
  CHECK(pool.actions() == "");
  pool.pass();
  CHECK(pool.actions() == "start 1, start 2");
  pool.ready_up_to(2);
  pool.pass(1h);
  CHECK(pool.actions() == "");
  CHECK_FALSE(pool.has_timer());
  pool.exit(2);
  CHECK(pool.actions() == "start 3");
}

TEST_CASE("scheduler: a worker that is idle for long is stopped, the least recently used first",
          "[pool]") {
  ScriptedPool pool({.min = 1, .max = 3, .idle_timeout = 100ms});
  for (int i = 0; i < 3; ++i) pool.submit();
  pool.ready_up_to(3);
  pool.actions();
  pool.end(1, 1);
  pool.pass(10ms);
  pool.end(3, 3);
  pool.pass(10ms);
  pool.end(2, 2);
  CHECK(pool.next_pass() == 80ms);
  pool.pass(79ms);
  CHECK(pool.actions() == "");
  pool.pass(1ms);
  CHECK(pool.actions() == "stop 1");
  pool.pass(1h);
  CHECK(pool.actions() == "stop 3");
  pool.exit(1);
  pool.exit(3);
  CHECK(pool.actions() == "");
  CHECK(pool.scheduler.crashed() == 0);
}

TEST_CASE("scheduler: a task goes to the worker with the fewest tasks, then to the last used",
          "[pool]") {
  TwoWorkers pool({.concurrency = 2});
  pool.submit();
  CHECK(pool.actions() == "run 1 in 2");
  pool.submit();
  CHECK(pool.actions() == "run 2 in 1");
  pool.end(2, 1);
  pool.submit();
  CHECK(pool.actions() == "run 3 in 2");
  pool.end(1, 2);
  pool.end(2, 3);
  pool.submit();
  CHECK(pool.actions() == "run 4 in 2");
}

// --- order

TEST_CASE("scheduler: the highest priority runs first, then the first that came", "[pool]") {
  OneWorker pool;
  pool.submit();
  pool.submit({.priority = 1});
  pool.submit({.priority = 2});
  pool.submit({.priority = 2});
  pool.submit();
  pool.actions();
  std::string order;
  for (const tine::pool::TaskId task : {1u, 3u, 4u, 2u}) {
    pool.end(1, task);
    order += pool.actions() + ";";
  }
  CHECK(order == "run 3 in 1;run 4 in 1;run 2 in 1;run 5 in 1;");
}

TEST_CASE("scheduler: each second of waiting is worth one of priority", "[pool]") {
  OneWorker pool;
  pool.submit();
  pool.submit();
  pool.pass(2s);
  pool.submit({.priority = 1});
  pool.submit({.priority = 2});
  pool.submit({.priority = 3});
  pool.actions();
  std::string order;
  for (const tine::pool::TaskId task : {1u, 5u, 2u, 4u}) {
    pool.end(1, task);
    order += pool.actions() + ";";
  }
  CHECK(order == "run 5 in 1;run 2 in 1;run 4 in 1;run 3 in 1;");
}

// --- keys

TEST_CASE("scheduler: a task waits for the worker of its key", "[pool]") {
  TwoWorkers pool;
  pool.submit({.key = "a"});
  CHECK(pool.actions() == "run 1 in 2");
  pool.submit({.key = "a"});
  CHECK(pool.actions() == "");  // although worker 1 is idle
  pool.submit();
  CHECK(pool.actions() == "run 3 in 1");
  pool.end(1, 3);
  CHECK(pool.actions() == "");
  pool.end(2, 1);
  CHECK(pool.actions() == "run 2 in 2");
}

TEST_CASE("scheduler: tasks of a key that wait when it gets its worker wait for that one",
          "[pool]") {
  ScriptedPool pool({.max = 3});
  pool.submit({.key = "a"});
  pool.submit({.key = "a"});
  CHECK(pool.actions() == "start 1");
  pool.submit({.key = "b"});
  CHECK(pool.actions() == "start 2");
  pool.ready(1);
  pool.ready(2);
  CHECK(pool.actions() == "run 1 in 1, run 3 in 2");
  pool.end(2, 3);
  CHECK(pool.actions() == "");
  pool.end(1, 1);
  CHECK(pool.actions() == "run 2 in 1");
}

TEST_CASE("scheduler: the best task of a key is the one that competes with others", "[pool]") {
  ScriptedPool pool({});
  pool.submit({.key = "a"});
  pool.submit({.priority = 1});
  pool.submit({.priority = 2, .key = "a"});
  pool.cancel(3);
  pool.ready(1);
  CHECK(pool.actions() == "start 1, run 2 in 1, settle 3 aborted");
  pool.submit({.priority = 3, .key = "a"});
  pool.submit({.priority = 2, .key = "a"});
  pool.end(1, 2);
  CHECK(pool.actions() == "run 4 in 1");
  pool.cancel(1);
  pool.end(1, 4);
  CHECK(pool.actions() == "run 5 in 1, settle 1 aborted");
}

// If each worker that ends moved all these tasks, this would take longer than ctest waits.
TEST_CASE("scheduler: tasks of a key move from worker to worker at once", "[pool]") {
  constexpr tine::pool::TaskId many = 50'000;
  ScriptedPool pool({.queue_limit = many});
  for (tine::pool::TaskId task = 1; task <= many; ++task) pool.submit({.key = "a"});
  pool.actions();
  for (tine::pool::TaskId task = 1; task <= many; ++task) {
    pool.ready(task);
    pool.now += 2s;  // so that its death is not an early one
    pool.exit(task);
    pool.actions();
  }
  CHECK(pool.scheduler.queued() == 0);
  CHECK(pool.scheduler.crashed() == many);
}

TEST_CASE("scheduler: a task of a key needs no other worker", "[pool]") {
  OneWorker pool({.max = 2});
  pool.submit({.key = "a"});
  pool.submit({.key = "a"});
  CHECK(pool.actions() == "run 1 in 1");
}

TEST_CASE("scheduler: a worker takes the better ranked of its key's tasks and all others",
          "[pool]") {
  OneWorker pool;
  pool.submit({.key = "a"});
  pool.submit();
  pool.submit({.key = "a"});
  pool.submit({.priority = 1});
  pool.submit({.priority = 2, .key = "a"});
  pool.actions();
  std::string order;
  for (const tine::pool::TaskId task : {1u, 5u, 4u, 2u}) {
    pool.end(1, task);
    order += pool.actions() + ";";
  }
  CHECK(order == "run 5 in 1;run 4 in 1;run 2 in 1;run 3 in 1;");
}

TEST_CASE("scheduler: when the worker of a key is lost, its tasks are for all", "[pool]") {
  TwoWorkers pool;
  pool.submit({.key = "a"});
  pool.submit({.key = "a"});
  CHECK(pool.actions() == "run 1 in 2");
  SECTION("lost") {
    pool.lose(2);
    CHECK(pool.actions() == "kill 2, run 2 in 1");
    pool.exit(2);
    CHECK(pool.actions() == "settle 1 worker_died, start 3");
  }
  SECTION("exited") {
    pool.exit(2);
    CHECK(pool.actions() == "settle 1 worker_died, run 2 in 1, start 3");
  }
}

TEST_CASE("scheduler: the key that was not used for longest is forgotten", "[pool]") {
  TwoWorkers pool;
  pool.submit({.key = "first"});
  CHECK(pool.actions() == "run 1 in 2");
  pool.end(2, 1);
  pool.submit({.key = "second"});  // in 2, which was used last
  pool.end(2, 2);
  tine::pool::TaskId task = 2;
  const auto use = [&](const std::string& key) {
    pool.submit({.key = key});
    pool.end(2, ++task);
  };
  for (std::size_t i = 2; i < Scheduler::most_keys; ++i) use("key" + std::to_string(i));
  use("first");
  use("one more");
  pool.submit();
  CHECK(pool.actions().ends_with("run " + std::to_string(++task) + " in 2"));
  pool.submit({.key = "first"});
  CHECK(pool.actions() == "");  // waits for 2
  pool.submit({.key = "second"});
  CHECK(pool.actions() == "run " + std::to_string(task + 2) + " in 1");
}

// --- nested tasks

TEST_CASE("scheduler: each level of nesting may have a worker more", "[pool]") {
  ScriptedPool pool({.max = 1});
  pool.submit();
  pool.submit();
  pool.ready(1);
  CHECK(pool.actions() == "start 1, run 1 in 1");
  pool.submit({.level = 1});
  CHECK(pool.actions() == "start 2");
  pool.ready(2);
  CHECK(pool.actions() == "run 3 in 2");
  pool.submit({.level = 1});
  CHECK(pool.actions() == "");
  pool.submit({.level = 2});
  pool.ready(3);
  CHECK(pool.actions() == "start 3, run 5 in 3");
  SECTION("what is not nested leaves the extra place free") {
    pool.end(2, 3);
    CHECK(pool.actions() == "run 4 in 2");
    pool.end(2, 4);
    CHECK(pool.actions() == "");
    pool.end(1, 1);
    CHECK(pool.actions() == "run 2 in 2");
  }
  SECTION("the extra workers end when they are idle") {
    pool.end(3, 5);
    pool.end(2, 3);
    CHECK(pool.actions() == "run 4 in 3");
    pool.end(3, 4);
    pool.pass(30s);
    CHECK(pool.actions() == "stop 2, stop 3");
  }
}

TEST_CASE("scheduler: what is nested too deep is refused", "[pool]") {
  OneWorker pool;
  pool.submit({.level = Scheduler::deepest_level});
  pool.submit({.level = Scheduler::deepest_level + 1});
  pool.submit({.level = std::numeric_limits<unsigned>::max()});
  CHECK(pool.actions() == "run 1 in 1, settle 2 queue_full, settle 3 queue_full");
  CHECK(pool.scheduler.queued() == 0);
}

TEST_CASE("scheduler: a nested task does not wait for a busy worker of its key", "[pool]") {
  TwoWorkers pool;
  pool.submit({.key = "a"});
  CHECK(pool.actions() == "run 1 in 2");
  pool.submit({.key = "a", .level = 1});
  CHECK(pool.actions() == "run 2 in 1");
  pool.end(2, 1);
  pool.end(1, 2);
  pool.submit({.key = "a", .level = 1});  // worker 1 was used last, but 2 is free
  CHECK(pool.actions() == "run 3 in 2");
}

// --- cancelling, deadlines

TEST_CASE("scheduler: a queued task that is cancelled is settled", "[pool]") {
  ScriptedPool pool({});
  pool.submit();
  pool.cancel(1);
  pool.cancel(1);
  CHECK(pool.actions() == "start 1, settle 1 aborted");
  pool.cancel(1);
  pool.cancel(99);
  pool.ready(1);
  CHECK(pool.actions() == "");
  CHECK(pool.scheduler.cancelled() == 1);
}

TEST_CASE("scheduler: a running task that is cancelled keeps its place until it is answered",
          "[pool]") {
  OneWorker pool({.cancel_grace = 50ms});
  pool.submit();
  pool.submit();
  pool.actions();
  pool.cancel(1);
  CHECK(pool.actions() == "settle 1 aborted, cancel 1 in 1");
  CHECK(pool.scheduler.running() == 0);
  pool.cancel(1);
  CHECK(pool.actions() == "");
  SECTION("answered") {
    pool.pass(49ms);
    pool.end(1, 1);
    CHECK(pool.actions() == "run 2 in 1");
    pool.pass(1h);
    CHECK(pool.actions() == "");
  }
  SECTION("not answered") {
    CHECK(pool.next_pass() == 50ms);
    pool.pass(50ms);
    CHECK(pool.actions() == "kill 1");
    pool.pass(1h);
    CHECK_FALSE(pool.has_timer());
    pool.exit(1);
    CHECK(pool.actions() == "start 2");
    CHECK(pool.scheduler.crashed() == 0);
  }
}

TEST_CASE("scheduler: a kill for one task takes the others of that worker along", "[pool]") {
  OneWorker pool({.concurrency = 3, .cancel_grace = 50ms});
  pool.submit();
  pool.submit();
  pool.submit({.retries = 1});
  pool.actions();
  pool.cancel(1);
  pool.pass(50ms);
  CHECK(pool.actions() == "settle 1 aborted, cancel 1 in 1, kill 1");
  SECTION("when it has exited") {
    pool.exit(1);
    CHECK(pool.actions() == "settle 2 worker_died, start 2");
    CHECK(pool.scheduler.retried() == 1);
    pool.ready(2);
    CHECK(pool.actions() == "run 3 in 2");
  }
  SECTION("an answer before its exit counts") {
    pool.end(1, 3);
    pool.cancel(2);
    CHECK(pool.actions() == "settle 2 aborted");
    pool.exit(1);
    CHECK(pool.actions() == "start 2");
  }
}

TEST_CASE("scheduler: within counts from the submission", "[pool]") {
  OneWorker pool;
  pool.submit();
  pool.submit({.within = 100ms});
  pool.submit({.within = 40ms});
  pool.actions();
  CHECK(pool.next_pass() == 40ms);
  pool.pass(40ms);
  CHECK(pool.actions() == "settle 3 timed_out");
  pool.end(1, 1);
  CHECK(pool.actions() == "run 2 in 1");
  CHECK(pool.last.left == 60ms);
  pool.pass(59ms);
  CHECK(pool.actions() == "");
  pool.pass(1ms);
  CHECK(pool.actions() == "settle 2 timed_out, cancel 2 in 1");
  CHECK(pool.scheduler.timed_out() == 2);
}

TEST_CASE("scheduler: run_within counts from each start", "[pool]") {
  OneWorker pool;
  pool.submit();
  pool.submit({.within = 500ms, .run_within = 100ms, .retries = 1});
  pool.actions();
  pool.pass(200ms);
  pool.end(1, 1);
  CHECK(pool.actions() == "run 2 in 1");
  CHECK(pool.last.left == 100ms);
  CHECK_FALSE(pool.last.last_try);
  pool.exit(1);
  pool.actions();
  pool.pass(250ms);
  CHECK(pool.actions() == "");
  pool.ready(2);
  CHECK(pool.actions() == "run 2 in 2");
  CHECK(pool.last.left == 50ms);
  CHECK(pool.last.last_try);
}

TEST_CASE("scheduler: a task that is late already does not run", "[pool]") {
  OneWorker pool;
  pool.submit();
  pool.submit({.within = 10ms});
  pool.submit();
  pool.actions();
  pool.now += 10ms;
  pool.end(1, 1);
  CHECK(pool.actions() == "run 3 in 1, settle 2 timed_out");
}

TEST_CASE("scheduler: times that are too long or negative are no trouble", "[pool]") {
  OneWorker pool;
  pool.submit({.within = std::chrono::milliseconds::max()});
  CHECK(pool.actions() == "run 1 in 1");
  CHECK_FALSE(pool.last.left);
  pool.submit({.priority = std::numeric_limits<int>::min(), .within = -1h});
  pool.submit({.priority = std::numeric_limits<int>::max()});
  pool.pass();
  CHECK(pool.actions() == "settle 2 timed_out");
}

// --- workers that die

TEST_CASE("scheduler: a task whose worker dies fails, or is tried again in its place", "[pool]") {
  OneWorker pool;
  pool.submit({.retries = 2});
  pool.submit();
  pool.actions();
  pool.exit(1);
  CHECK(pool.actions() == "start 2");
  pool.ready(2);
  CHECK(pool.actions() == "run 1 in 2");
  pool.pass(2s);  // so that its death is not an early one
  pool.exit(2);
  pool.ready(3);
  CHECK(pool.actions() == "start 3, run 1 in 3");
  CHECK(pool.last.last_try);
  pool.pass(2s);
  pool.exit(3);
  CHECK(pool.actions() == "settle 1 worker_died, start 4");
  CHECK(pool.scheduler.crashed() == 3);
  CHECK(pool.scheduler.retried() == 2);
}

TEST_CASE("scheduler: a lost worker is killed, and its tasks wait for its exit", "[pool]") {
  OneWorker pool({.max = 2});
  pool.submit({.retries = 1});
  pool.actions();
  pool.lose(1);
  pool.lose(1);
  CHECK(pool.actions() == "kill 1, start 2");
  pool.submit();
  pool.ready(2);
  CHECK(pool.actions() == "run 2 in 2");
  pool.exit(1);
  pool.exit(1);
  CHECK(pool.actions() == "start 3");
  CHECK(pool.scheduler.workers() == 2);
}

TEST_CASE("scheduler: a worker that is told to stop may lose its channel", "[pool]") {
  ScriptedPool pool({.idle_timeout = 0ms});
  pool.submit();
  pool.ready(1);
  pool.end(1, 1);
  pool.pass();
  CHECK(pool.actions() == "start 1, run 1 in 1, stop 1");
  pool.lose(1);
  CHECK(pool.actions() == "");
}

TEST_CASE("scheduler: failed starts back off, and are given up after start_attempts", "[pool]") {
  Limits limits{.start_attempts = 3};
  limits.backoff = [](unsigned failures) { return 10ms * failures; };
  ScriptedPool pool(limits);
  pool.submit();
  CHECK(pool.actions() == "start 1");
  pool.start_fails(1);
  CHECK(pool.actions() == "");
  CHECK(pool.next_pass() == 10ms);
  pool.pass(9ms);
  CHECK(pool.actions() == "");
  pool.pass(1ms);
  CHECK(pool.actions() == "start 2");
  CHECK_FALSE(pool.has_timer());
  pool.start_fails(2);
  CHECK(pool.next_pass() == 20ms);
  pool.pass(20ms);
  CHECK(pool.actions() == "start 3");
  pool.submit();
  SECTION("given up") {
    pool.start_fails(3);
    CHECK(pool.scheduler.queued() == 2);
    tine::pool::Action action;
    REQUIRE(pool.scheduler.take(action));
    CHECK(written(action) == "gave up");
    CHECK(pool.scheduler.queued() == 2);
    CHECK(pool.actions() == "settle 1 worker_start_failed, settle 2 worker_start_failed");
    CHECK_FALSE(pool.has_timer());
    pool.submit();
    CHECK(pool.actions() == "");
    CHECK(pool.next_pass() == 30ms);
    pool.pass(30ms);
    CHECK(pool.actions() == "start 4");
    pool.start_fails(4);
    CHECK(pool.next_pass() == 10ms);
  }
  SECTION("a success ends the row") {
    pool.ready(3);
    pool.exit(3);
    CHECK(pool.actions() == "run 1 in 3, settle 1 worker_died, start 4");
    pool.start_fails(4);
    CHECK(pool.next_pass() == 10ms);
  }
}

TEST_CASE("scheduler: workers that fail at the same time are one failure", "[pool]") {
  Limits limits{.max = 3, .start_attempts = 2};
  limits.backoff = [](unsigned failures) { return 10ms * failures; };
  ScriptedPool pool(limits);
  for (int i = 0; i < 3; ++i) pool.submit();
  CHECK(pool.actions() == "start 1, start 2, start 3");
  for (const tine::pool::WorkerId worker : {1u, 2u, 3u}) pool.start_fails(worker);
  CHECK(pool.actions() == "");
  pool.pass(10ms);
  CHECK(pool.actions() == "start 4");  // one, to see whether it can be started
  pool.ready(4);
  CHECK(pool.actions() == "run 1 in 4, start 5, start 6");
}

TEST_CASE("scheduler: nothing is given up while a worker takes tasks", "[pool]") {
  Limits limits{.max = 2, .start_attempts = 1};
  OneWorker pool(limits);
  pool.submit();
  pool.submit();
  CHECK(pool.actions() == "run 1 in 1, start 2");
  pool.start_fails(2);
  CHECK(pool.actions() == "");
  pool.end(1, 1);
  CHECK(pool.actions() == "run 2 in 1");
}

TEST_CASE("scheduler: a nested task is given up if it waits for a worker that cannot be started",
          "[pool]") {
  Limits limits{.start_attempts = 2};
  limits.backoff = [](unsigned failures) { return 10ms * failures; };
  OneWorker pool(limits);
  pool.submit();
  pool.submit({.level = 1});
  pool.submit();
  CHECK(pool.actions() == "run 1 in 1, start 2");
  pool.start_fails(2);
  CHECK(pool.actions() == "");
  pool.pass(10ms);
  CHECK(pool.actions() == "start 3");
  SECTION("no worker has a place") {
    pool.start_fails(3);
    CHECK(pool.actions() == "settle 2 worker_start_failed");
    pool.end(1, 1);
    CHECK(pool.actions() == "run 3 in 1");
  }
  SECTION("a worker is free in time") {
    pool.end(1, 1);
    pool.start_fails(3);
    CHECK(pool.actions() == "run 2 in 1");
  }
}

TEST_CASE("scheduler: a nested task is not given up while a worker has a place", "[pool]") {
  TwoWorkers pool({.start_attempts = 1});
  pool.exit(1);
  pool.ready(3);
  pool.submit({.retries = 1, .level = 1});
  CHECK(pool.actions() == "start 3, run 1 in 3");
  pool.exit(3);  // the second early death, a failed start
  CHECK(pool.actions() == "run 1 in 2");
}

TEST_CASE("scheduler: a task that is tried again after the others were given up has a worker",
          "[pool]") {
  ScriptedPool pool({.max = 2, .start_attempts = 1});
  pool.submit({.retries = 1});
  pool.ready(1);
  pool.lose(1);
  CHECK(pool.actions() == "start 1, run 1 in 1, kill 1");
  pool.submit();
  pool.start_fails(2);
  CHECK(pool.actions() == "start 2, gave up, settle 2 worker_start_failed");
  pool.exit(1);
  CHECK(pool.actions() == "");
  CHECK(pool.next_pass() == 100ms);
  pool.pass(100ms);
  pool.ready(3);
  CHECK(pool.actions() == "start 3, run 1 in 3");
}

TEST_CASE("scheduler: workers that die as soon as they are ready are failed starts", "[pool]") {
  Limits limits{.start_attempts = 2};
  limits.backoff = [](unsigned failures) { return 10ms * failures; };
  ScriptedPool pool(limits);
  pool.submit({.retries = 9});
  CHECK(pool.actions() == "start 1");
  pool.ready(1);
  pool.exit(1);
  CHECK(pool.actions() == "run 1 in 1, start 2");  // the first time, at once
  pool.ready(2);
  pool.exit(2);
  CHECK(pool.actions() == "run 1 in 2");
  CHECK(pool.next_pass() == 10ms);
  pool.pass(10ms);
  CHECK(pool.actions() == "start 3");
  pool.ready(3);
  SECTION("given up") {
    pool.exit(3);
    CHECK(pool.actions() == "run 1 in 3, gave up, settle 1 worker_start_failed");
  }
  SECTION("a task that is done ends the row") {
    pool.submit();
    pool.end(3, 1);
    pool.exit(3);
    CHECK(pool.actions() == "run 1 in 3, run 2 in 3, settle 2 worker_died");
    pool.submit();
    CHECK(pool.actions() == "start 4");
  }
}

TEST_CASE("scheduler: tasks that kill their workers are no failed starts if others were done",
          "[pool]") {
  OneWorker pool({.start_attempts = 1});
  pool.submit();
  pool.end(1, 1);
  pool.exit(1);
  CHECK(pool.actions() == "run 1 in 1, start 2");
  for (tine::pool::TaskId task = 2; task <= 10; ++task) {
    pool.submit();
    pool.ready(task);
    pool.exit(task);
    const std::string name = std::to_string(task);
    CHECK(pool.actions() == "run " + name + " in " + name + ", settle " + name +
                                " worker_died, start " + std::to_string(task + 1));
  }
  for (const tine::pool::WorkerId worker : {11u, 12u}) {
    pool.ready(worker);
    pool.exit(worker);
  }
  CHECK(pool.actions() == "start 12, gave up");  // without a task
}

// --- the limit of the queue

TEST_CASE("scheduler: a queue that is full refuses, and tells when it is half empty", "[pool]") {
  OneWorker pool({.queue_limit = 4});
  for (int i = 0; i < 5; ++i) pool.submit();
  CHECK(pool.actions() == "run 1 in 1");
  pool.submit({.priority = 9});
  CHECK(pool.actions() == "settle 6 queue_full");
  CHECK(pool.scheduler.queued() == 4);
  pool.end(1, 1);
  CHECK(pool.actions() == "run 2 in 1");
  pool.end(1, 2);
  CHECK(pool.actions() == "run 3 in 1, drain");
  pool.end(1, 3);
  pool.end(1, 4);
  CHECK(pool.actions() == "run 4 in 1, run 5 in 1");
}

TEST_CASE("scheduler: a queue that is full can drop what has waited longest", "[pool]") {
  OneWorker pool({.queue_limit = 2, .drop_oldest = true});
  pool.submit();
  pool.submit({.priority = 9});
  pool.submit();
  pool.submit();
  CHECK(pool.actions() == "run 1 in 1, settle 2 queue_full");
  pool.submit();
  CHECK(pool.actions() == "settle 3 queue_full");
}

TEST_CASE("scheduler: with no place in the queue, only what runs at once is taken", "[pool]") {
  OneWorker pool({.queue_limit = 0, .drop_oldest = GENERATE(false, true)});
  pool.submit();
  pool.submit();
  CHECK(pool.actions() == "run 1 in 1, settle 2 queue_full");
}

TEST_CASE("scheduler: a task is not tried again if the queue has no place", "[pool]") {
  OneWorker pool({.queue_limit = 1});
  pool.submit({.retries = 1});
  pool.submit();
  pool.actions();
  pool.exit(1);
  CHECK(pool.actions() == "settle 1 worker_died, start 2");
  CHECK(pool.scheduler.queued() == 1);
}

// --- replacing workers

TEST_CASE("scheduler: a worn worker goes when its successor is ready", "[pool]") {
  Limits limits{.concurrency = 2};
  SECTION("tasks") {
    limits.recycle_tasks = 1;
    OneWorker pool(limits);
    pool.submit();
    pool.submit();
    pool.actions();
    pool.end(1, 1);
    CHECK(pool.actions() == "start 2");
    pool.submit();
    CHECK(pool.actions() == "run 3 in 1");  // it goes on until then
    pool.ready(2);
    CHECK(pool.actions() == "");
    pool.submit();
    CHECK(pool.actions() == "run 4 in 2");
    pool.end(1, 2);
    CHECK(pool.actions() == "");
    pool.end(1, 3);
    CHECK(pool.actions() == "stop 1");
    pool.exit(1);
    CHECK(pool.actions() == "");
    CHECK(pool.scheduler.recycled() == 1);
    CHECK(pool.scheduler.crashed() == 0);
  }
  SECTION("memory") {
    limits.recycle_memory = 1000;
    OneWorker pool(limits);
    pool.scheduler.memory(1, 1000, pool.now);
    CHECK(pool.actions() == "");
    pool.scheduler.memory(1, 1001, pool.now);
    pool.scheduler.memory(1, 1001, pool.now);
    CHECK(pool.actions() == "start 2");
    pool.ready(2);
    CHECK(pool.actions() == "stop 1");
  }
  SECTION("age, less jitter") {
    limits.recycle_age = 1000ms;
    limits.recycle_jitter = 0.5;
    limits.random = [] { return 0.5; };
    OneWorker pool(limits);
    CHECK(pool.next_pass() == 750ms);
    pool.pass(749ms);
    CHECK(pool.actions() == "");
    pool.pass(1ms);
    CHECK(pool.actions() == "start 2");
    CHECK_FALSE(pool.has_timer());
  }
}

TEST_CASE("scheduler: one worker is replaced at a time", "[pool]") {
  TwoWorkers pool({.recycle_age = 1000ms});
  pool.pass(1000ms);
  CHECK(pool.actions() == "start 3");
  pool.ready(3);
  CHECK(pool.actions() == "stop 1");
  pool.exit(1);
  CHECK(pool.actions() == "start 4");
  pool.ready(4);
  CHECK(pool.actions() == "stop 2");
}

TEST_CASE("scheduler: the old worker goes on if its successor cannot be started", "[pool]") {
  Limits limits{.start_attempts = 1, .recycle_tasks = 1};
  limits.backoff = [](unsigned failures) { return 10ms * failures; };
  OneWorker pool(limits);
  pool.submit();
  pool.end(1, 1);
  CHECK(pool.actions() == "run 1 in 1, start 2");
  pool.start_fails(2);
  CHECK(pool.actions() == "");
  CHECK(pool.next_pass() == 10ms);
  pool.submit();
  CHECK(pool.actions() == "run 2 in 1");
  pool.pass(10ms);
  CHECK(pool.actions() == "start 3");
  pool.start_fails(3);
  CHECK(pool.next_pass() == 20ms);
}

TEST_CASE("scheduler: the old worker may die before its successor is ready", "[pool]") {
  OneWorker pool({.recycle_tasks = 1});
  pool.submit();
  pool.end(1, 1);
  pool.actions();
  SECTION("exited") {
    pool.exit(1);
    CHECK(pool.actions() == "");
  }
  SECTION("lost") {
    pool.lose(1);
    pool.ready(2);
    CHECK(pool.actions() == "kill 1");
    pool.exit(1);
  }
  pool.ready(2);
  pool.submit();
  CHECK(pool.actions() == "run 2 in 2");
  CHECK(pool.scheduler.workers() == 1);
  CHECK(pool.scheduler.crashed() == 1);
}

TEST_CASE("scheduler: the keys of a worker that is being replaced are free", "[pool]") {
  OneWorker pool({.recycle_age = 1000ms});
  pool.submit({.key = "a"});
  pool.submit({.key = "a"});
  pool.pass(1000ms);
  CHECK(pool.actions() == "run 1 in 1, start 2");
  pool.ready(2);
  CHECK(pool.actions() == "run 2 in 2");
}

TEST_CASE("scheduler: reload replaces all workers that are there, one after the other", "[pool]") {
  TwoWorkers pool;
  pool.submit();
  CHECK(pool.actions() == "run 1 in 2");
  pool.scheduler.reload(pool.now);
  CHECK(pool.actions() == "start 3");
  pool.ready(3);
  CHECK(pool.actions() == "stop 1");
  pool.exit(1);
  CHECK(pool.actions() == "start 4");
  SECTION("done") {
    pool.ready(4);
    CHECK(pool.actions() == "");
    pool.end(2, 1);
    CHECK(pool.actions() == "stop 2");
    pool.exit(2);
    CHECK(pool.actions() == "reloaded");
    CHECK(pool.scheduler.recycled() == 2);
  }
  SECTION("a successor fails") {
    pool.start_fails(4);
    CHECK(pool.actions() == "not reloaded");
    pool.pass(1h);
    CHECK(pool.actions() == "");
    CHECK(pool.scheduler.idle() == 1);
  }
  SECTION("a second reload waits for the first") {
    pool.scheduler.reload(pool.now);
    pool.ready(4);
    pool.end(2, 1);
    pool.exit(2);
    CHECK(pool.actions() == "stop 2, reloaded, start 5");
  }
  SECTION("the worker dies first") {
    pool.exit(2);
    CHECK(pool.actions() == "settle 1 worker_died, reloaded");
  }
}

TEST_CASE("scheduler: an idle worker is not stopped before its successor is ready", "[pool]") {
  OneWorker pool({.idle_timeout = 10ms});
  pool.pass(1h);
  pool.scheduler.reload(pool.now);
  CHECK(pool.actions() == "start 2");
  CHECK_FALSE(pool.has_timer());
  pool.pass(1h);
  CHECK(pool.actions() == "");
  SECTION("it is ready") {
    pool.ready(2);
    CHECK(pool.actions() == "stop 1");
  }
  SECTION("it fails") {
    pool.start_fails(2);
    CHECK(pool.actions() == "not reloaded");
    CHECK(pool.scheduler.idle() == 1);
  }
}

TEST_CASE("scheduler: reload replaces a worker that is starting when it is ready", "[pool]") {
  ScriptedPool pool({});
  pool.submit();
  pool.scheduler.reload(pool.now);
  CHECK(pool.actions() == "start 1");
  pool.ready(1);
  CHECK(pool.actions() == "run 1 in 1, start 2");
}

TEST_CASE("scheduler: a pool without workers is reloaded at once", "[pool]") {
  ScriptedPool pool({});
  pool.scheduler.reload(pool.now);
  CHECK(pool.actions() == "reloaded");
}

// --- the end

TEST_CASE("scheduler: close does what is there, and stops the workers", "[pool]") {
  TwoWorkers pool;
  pool.submit({.key = "a"});
  pool.submit({.key = "a"});
  CHECK(pool.actions() == "run 1 in 2");
  pool.scheduler.reload(pool.now);
  CHECK(pool.actions() == "start 3");
  pool.scheduler.close(pool.now);
  pool.submit();
  CHECK(pool.actions() == "not reloaded, settle 3 pool_closed");
  pool.end(2, 1);
  CHECK(pool.actions() == "run 2 in 2, stop 1, stop 3");
  pool.start_fails(3);
  pool.exit(1);
  pool.end(2, 2);
  CHECK(pool.actions() == "stop 2");
  pool.exit(2);
  CHECK(pool.actions() == "closed");
  pool.scheduler.close(pool.now);
  pool.scheduler.destroy(pool.now);
  pool.pass();
  CHECK(pool.actions() == "");
}

TEST_CASE("scheduler: a pool without workers is closed at once", "[pool]") {
  ScriptedPool pool({});
  SECTION("close") { pool.scheduler.close(pool.now); }
  SECTION("destroy") { pool.scheduler.destroy(pool.now); }
  CHECK(pool.actions() == "closed");
}

TEST_CASE("scheduler: a pool that is closed tries tasks again", "[pool]") {
  OneWorker pool;
  pool.submit({.retries = 1});
  pool.scheduler.close(pool.now);
  pool.exit(1);
  CHECK(pool.actions() == "run 1 in 1, start 2");
  pool.ready(2);
  pool.end(2, 1);
  CHECK(pool.actions() == "run 1 in 2, stop 2");
}

TEST_CASE("scheduler: destroy settles all tasks and kills all workers", "[pool]") {
  OneWorker pool({.max = 2});
  pool.submit({.retries = 5});
  pool.submit();
  pool.actions();
  if (GENERATE(false, true)) pool.scheduler.close(pool.now);
  pool.scheduler.destroy(pool.now);
  CHECK(pool.actions() == "settle 1 pool_closed, kill 1, kill 2, settle 2 pool_closed");
  pool.exit(1);
  CHECK(pool.actions() == "");
  pool.start_fails(2);
  CHECK(pool.actions() == "closed");
}

// --- events that cross

TEST_CASE("scheduler: events about what is gone are ignored", "[pool]") {
  OneWorker pool;
  pool.submit();
  pool.actions();
  pool.end(2, 1);
  pool.end(1, 2);
  pool.ready(1);
  pool.ready(7);
  pool.lose(7);
  pool.exit(7);
  pool.start_fails(7);
  pool.scheduler.memory(7, 1, pool.now);
  CHECK(pool.actions() == "");
  pool.end(1, 1);
  pool.end(1, 1);
  pool.cancel(1);
  CHECK(pool.actions() == "");
  CHECK(pool.scheduler.idle() == 1);
}
