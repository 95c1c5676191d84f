// The memory of the scheduler: of tasks that wait, and what holds when none is left.
#include <cstddef>
#include <new>
#include <string>
#include <string_view>

#include "pool/scripted_pool.hpp"
#include "support/catch.hpp"
#include "wire/heap.hpp"

using namespace std::chrono_literals;
using tine::pool::Limits;
using tine::pool::TaskId;
using tine::pool::TaskSpec;

namespace {

constexpr std::size_t no_limit = static_cast<std::size_t>(-1);

// Calls this with each of its allocations failing in turn, until none fails.
template <class Attempt>
void with_each_allocation_failing(Attempt attempt) {
  for (int count = 0;; ++count) {
    heap::fail_after(count);
    try {
      attempt();
      heap::fail_after(-1);
      return;
    } catch (const std::bad_alloc&) {
      heap::fail_after(-1);
    }
  }
}

void take_all(ScriptedPool& pool) {
  tine::pool::Action action;
  while (pool.scheduler.take(action)) pool.last = action;
}

}  // namespace

TEST_CASE("scheduler: a task that waits takes less than 300 bytes", "[pool]") {
  constexpr std::size_t many = 100'000;
  TaskSpec spec;
  SECTION("plain") {}
  SECTION("with a deadline") { spec.within = 1h; }
  ScriptedPool pool({.queue_limit = no_limit});
  for (std::size_t i = 0; i < many; ++i) pool.submit(spec);
  const std::size_t before = heap::live_bytes();
  for (std::size_t i = 0; i < many; ++i) pool.submit(spec);
  CHECK((heap::live_bytes() - before) / many < 300);
}

TEST_CASE("scheduler: nothing of a task stays", "[pool]") {
  ScriptedPool pool({.max = 2, .concurrency = 2, .cancel_grace = 10ms});
  const auto round = [&](int i) {
    TaskSpec spec{.priority = i % 3, .retries = i % 2 == 0 ? 0u : 1u};
    const std::string key = "a key that does not fit into the string " + std::to_string(i % 5);
    if (i % 4 == 0) spec.key = key;
    if (i % 7 == 0) spec.within = 5ms;
    const TaskId task = pool.submit(spec);
    if (i % 5 == 0) pool.cancel(task - 1);
    pool.pass(1ms);
    take_all(pool);
    for (const tine::pool::WorkerId worker : {1u, 2u}) {
      pool.ready(worker);
      for (TaskId known = task < 50 ? 1 : task - 50; known <= task; ++known) {
        if ((known + task) % 3 == 0) pool.end(worker, known);
      }
    }
    take_all(pool);
  };
  for (int i = 0; i < 2000; ++i) round(i);
  const std::size_t before = heap::live_bytes();
  for (int i = 0; i < 20'000; ++i) round(i);
  CHECK(heap::live_bytes() <= before + 10'000);
}

TEST_CASE("scheduler: a task that there is no memory for is not there", "[pool]") {
  const std::string key = "a key that does not fit into the string object";
  ScriptedPool pool({.max = 3});
  for (TaskId task = 1; task <= 100; ++task) {
    TaskId id = 0;
    bool changed = false;
    with_each_allocation_failing([&] {
      changed = changed || pool.scheduler.queued() != task - 1;
      id = pool.submit({.key = task % 2 == 0 ? std::string_view() : key, .within = 1h});
    });
    CHECK_FALSE(changed);
    CHECK(id == task);
    CHECK(pool.scheduler.queued() == task);
  }
  // A worker that there was no memory for is started a little later.
  pool.pass(20ms);
  take_all(pool);
  CHECK(pool.scheduler.starting() == 3);
}

TEST_CASE("scheduler: without memory, events are taken all the same", "[pool]") {
  ScriptedPool pool(
      {.min = 2, .max = 2, .concurrency = 2, .recycle_tasks = 5, .cancel_grace = 10ms});
  for (int i = 0; i < 12; ++i) pool.submit({.key = i % 3 == 0 ? "key" : "", .retries = 1});
  const bool lost = GENERATE(false, true);
  heap::fail_after(0);
  pool.pass();
  heap::fail_after(0);
  pool.ready(1);
  heap::fail_after(0);
  pool.ready(2);
  heap::fail_after(0);
  if (lost) pool.lose(1);
  heap::fail_after(0);
  pool.exit(1);
  heap::fail_after(0);
  pool.end(2, 3);
  heap::fail_after(-1);
  pool.pass(20ms);
  take_all(pool);
  CHECK(pool.scheduler.workers() == 2);
  CHECK(pool.scheduler.starting() == 1);
  CHECK(pool.scheduler.idle() == 0);
  heap::fail_after(0);
  pool.scheduler.destroy(pool.now);
  heap::fail_after(-1);
  CHECK(pool.scheduler.queued() == 0);
  CHECK(pool.scheduler.running() == 0);
}

TEST_CASE("scheduler: a cancellation that there is no memory for can be made again", "[pool]") {
  ScriptedPool pool({.cancel_grace = 10ms});
  pool.submit();
  pool.ready(1);
  take_all(pool);
  with_each_allocation_failing([&] { pool.cancel(1); });
  CHECK(pool.scheduler.cancelled() == 1);
  CHECK(pool.actions() == "settle 1 aborted, cancel 1 in 1");
  pool.pass(10ms);
  CHECK(pool.actions() == "kill 1");
}
