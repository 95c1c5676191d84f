// Pools with real workers.
#include <chrono>
#include <csignal>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <tine/scope.hpp>
#include <tine/tine.hpp>

#include "rpc/rpc_test.hpp"
#include "support/test_loop.hpp"

using namespace std::chrono_literals;
using tine::Pool;
using tine::PoolOptions;
using tine::Result;

namespace {

Pool make_pool(TestLoop& loop, PoolOptions options = {.max = 2}) {
  return Pool(loop, test_program("pool_worker"), std::move(options));
}

// The error of a task, which must not have a result.
struct Failure {
  auto callback() {
    return [this](const Result<>& result) {
      CHECK(++calls == 1);
      REQUIRE_FALSE(result);
      code = result.error().code();
      text = result.error().what();
      exit_status = result.error().exit_status();
    };
  }

  int calls = 0;
  std::error_code code = {};
  std::string text = {};
  std::optional<tine::ExitStatus> exit_status = {};
};

}  // namespace

TEST_CASE("pool: each task gets its own result, and close() ends all", "[pool]") {
  TestLoop loop;
  const Pool pool = make_pool(loop);
  constexpr int count = 100;
  int right = 0;
  int started = 0;
  int ended = 0;
  ExpectCalls closed(1);
  for (int i = 0; i < count; ++i) {
    pool.run("echo", i).then([&right, i](const Result<int>& result) { right += *result == i; });
  }
  pool.on<"start">([&] { ++started; });
  pool.on<"exit">([&] { ++ended; });
  pool.on<"close">([&] {
    closed();
    CHECK(right == count);
    CHECK(pool.stats().workers == 0);
  });
  pool.close();
  loop.run();
  CHECK(started == 2);
  CHECK(ended == 2);
  CHECK(pool.stats().completed == count);
}

TEST_CASE("pool: an idle pool does not keep the loop running", "[pool]") {
  TestLoop loop;
  const Pool pool = make_pool(loop, {.min = 2, .max = 2});
  int result = 0;
  pool.run("echo", 1).then([&](const Result<int>& echoed) { result = *echoed; });
  loop.run();
  CHECK(result == 1);
  pool.close();
  loop.run();
}

TEST_CASE("pool: a task whose worker died says which one, how, and its last words", "[pool]") {
  TestLoop loop;
  const Pool pool = make_pool(loop, {.max = 1});
  Failure failure;
  int pid = 0;
  int next = 0;
  pool.run("pid").then([&](const Result<int>& result) { pid = *result; });
  pool.run("crash", "the first line\nout of cheese").then(failure.callback());
  pool.run("pid").then([&](const Result<int>& result) { next = *result; });
  pool.close();
  loop.run();
  CHECK(failure.code == Errc::worker_died);
  CHECK_THAT(failure.text,
             ContainsSubstring("worker " + std::to_string(pid) + " ended by signal 9"));
  CHECK_THAT(failure.text, ContainsSubstring("the first line\nout of cheese"));
  CHECK(failure.exit_status == tine::ExitStatus{.signal = SIGKILL});
  CHECK(next != pid);
  CHECK(pool.stats().crashed == 1);
}

TEST_CASE("pool: work is retried in another worker, as often as it may be", "[pool]") {
  TestLoop loop;
  const Pool pool = make_pool(loop, {.max = 1, .backoff = {.first = 1ms}});
  Failure failure;
  std::set<std::optional<int>> pids;
  pool.on<"exit">([&](const tine::ChildProcess& child, const tine::ExitStatus& status) {
    if (status.code == 5) pids.insert(child.pid());
  });
  pool.run("exit", 5).retries(2).then(failure.callback());
  pool.close();
  loop.run();
  CHECK(failure.code == Errc::worker_died);
  CHECK(failure.exit_status == tine::ExitStatus{.code = 5});
  CHECK(pids.size() == 3);
  CHECK(pool.stats().retried == 2);
}

TEST_CASE("pool: a worker that hangs is killed, and the next one goes on", "[pool]") {
  TestLoop loop;
  const Pool pool = make_pool(loop, {.max = 1, .cancel_grace = 10ms});
  Failure failure;
  int echoed = 0;
  pool.run("hang").run_within(20ms).then(failure.callback());
  pool.run("echo", 3).then([&](const Result<int>& result) { echoed = *result; });
  pool.close();
  loop.run();
  CHECK(failure.code == Errc::timed_out);
  CHECK(echoed == 3);
}

TEST_CASE("pool: work that is cancelled is settled at once, and its worker lives on", "[pool]") {
  TestLoop loop;
  const Pool pool = make_pool(loop, {.max = 1, .cancel_grace = 1h});
  Failure cancelled;
  Failure queued;
  int before = 0;
  int after = 0;
  pool.run("pid").then([&](const Result<int>& result) { before = *result; });
  const tine::Call sleeping = pool.run("sleep", 3'600'000).then(cancelled.callback());
  const tine::Call waiting = pool.run("echo").then(queued.callback());
  waiting.cancel();
  pool.run("pid").then([&](const Result<int>& result) { after = *result; });
  pool.on<"start">([&] { sleeping.cancel(); });
  pool.close();
  loop.run();
  CHECK(cancelled.code == Errc::aborted);
  CHECK(queued.code == Errc::aborted);
  CHECK_FALSE(sleeping.pending());
  CHECK(before != 0);
  CHECK(before == after);
}

TEST_CASE("pool: work that waits for too long fails", "[pool]") {
  TestLoop loop;
  const Pool pool = make_pool(loop, {.max = 1});
  Failure failure;
  const tine::Call busy = pool.run("sleep", 3'600'000).then([](const Result<>&) {});
  pool.run("echo").within(20ms).then(
      [&, fail = failure.callback()](const Result<>& result) mutable {
        fail(result);
        busy.cancel();
      });
  pool.close();
  loop.run();
  CHECK(failure.code == Errc::timed_out);
}

TEST_CASE("pool: errors of handlers, progress, and tasks that await", "[pool]") {
  TestLoop loop;
  const Pool pool = make_pool(loop);
  std::vector<int> steps;
  const auto program = [&]() -> tine::Task<> {
    const int done = co_await pool.run<int>("work", 3).on_progress(
        [&](const json& step) { steps.push_back(step); });
    CHECK(done == 3);
    std::string failure;
    try {
      co_await pool.run("fail", "as asked");
    } catch (const tine::RpcError& error) {
      failure = std::to_string(error.remote_code()) + " " + error.what();
    }
    CHECK_THAT(failure, StartsWith("7 as asked"));
  };
  tine::run(loop, program());
  CHECK(steps == std::vector<int>{1, 2, 3});
  pool.close();
  loop.run();
}

TEST_CASE("pool: nested work does not wait for itself", "[pool]") {
  TestLoop loop;
  const Pool pool = make_pool(loop, {.max = 1});
  const int levels = GENERATE(1, 16, 17);
  pool.on_request("nested", [&](int left) -> tine::Task<json> {
    if (left == 0) co_return "bottom";
    json deeper = co_await pool.run("nest", left - 1);
    co_return deeper;
  });
  std::string outcome;
  pool.run("nest", levels).then([&](const Result<>& result) {
    outcome = result ? result->get<std::string>() : result.error().what();
  });
  pool.close();
  loop.run();
  if (levels <= 16) CHECK(outcome == "bottom");
  if (levels > 16) CHECK_THAT(outcome, ContainsSubstring("refused"));
}

TEST_CASE("pool: the work of a key is done by the same worker", "[pool]") {
  TestLoop loop;
  const Pool pool = make_pool(loop, {.max = 3});
  std::map<std::string, std::set<int>> pids;
  for (int i = 0; i < 60; ++i) {
    const std::string key = std::to_string(i % 5);
    pool.run("pid").key(key).then([&pids, key](const Result<int>& pid) { pids[key].insert(*pid); });
  }
  pool.close();
  loop.run();
  CHECK(pids.size() == 5);
  for (const auto& [key, its] : pids) CHECK(its.size() == 1);
}

TEST_CASE("pool: workers are replaced after so many tasks, or so much memory", "[pool]") {
  TestLoop loop;
  const bool by_memory = GENERATE(false, true);
  PoolOptions options{.max = 1};
  if (by_memory) {
    options.recycle = {.memory = 200 << 20, .jitter = 0};
  } else {
    options.recycle = {.tasks = 2, .jitter = 0};
  }
  const Pool pool = make_pool(loop, options);
  std::vector<int> pids;
  const auto program = [&]() -> tine::Task<> {
    for (int i = 0; i < 6; ++i) {
      const auto bytes = std::size_t{by_memory && i == 2 ? 300u << 20 : 100u};
      const int pid = co_await pool.run<int>("grow", bytes);
      pids.push_back(pid);
    }
    co_await tine::once<"exit">(pool);
  };
  tine::run(loop, program());
  pool.close();
  loop.run();
  CHECK(std::set<int>(pids.begin(), pids.end()).size() >= 2);
  CHECK(pool.stats().recycled >= 1);
  CHECK(pool.stats().crashed == 0);
}

TEST_CASE("pool: reload() replaces all workers", "[pool]") {
  TestLoop loop;
  const Pool pool = make_pool(loop, {.min = 2, .max = 2});
  std::set<std::optional<int>> started;
  pool.on<"start">([&](const tine::ChildProcess& child) {
    started.insert(child.pid());
    if (started.size() != 2) return;
    pool.reload([&](std::error_code error) {
      CHECK_FALSE(error);
      CHECK(started.size() == 4);
      pool.close();
    });
  });
  pool.run("sleep", 1).then([] {});
  pool.on<"close">([&] { CHECK(pool.stats().recycled == 2); });
  const tine::Timer keeps = loop->after(deadline, [] {});
  pool.on<"close">([keeps] { keeps.cancel(); });
  loop.run();
  CHECK(started.size() == 4);
}

TEST_CASE("pool: what waits fails if workers cannot be started", "[pool]") {
  TestLoop loop;
  const Pool pool(loop, "/nonexistent/worker",
                  {.max = 2, .backoff = {.first = 1ms}, .start_attempts = 3});
  Failure failure;
  int errors = 0;
  pool.on<"error">([&](const tine::Error& error) {
    CHECK(error.code() == Errc::worker_start_failed);
    ++errors;
  });
  pool.run("echo").then(failure.callback());
  pool.close();
  loop.run();
  CHECK(failure.code == Errc::worker_start_failed);
  CHECK_THAT(failure.text, ContainsSubstring("/nonexistent/worker"));
  CHECK(errors == 3);
}

TEST_CASE("pool: destroy() fails all tasks and kills all workers", "[pool]") {
  TestLoop loop;
  const Pool pool = make_pool(loop, {.max = 1});
  Failure running;
  Failure queued;
  Failure late;
  pool.run("hang").then(running.callback());
  pool.run("echo").then(queued.callback());
  pool.on<"start">([&] {
    pool.destroy();
    pool.run("echo").then(late.callback());
  });
  loop.run();
  for (const Failure* failure : {&running, &queued, &late})
    CHECK(failure->code == Errc::pool_closed);
}

TEST_CASE("pool: a full queue refuses, and says when there is room again", "[pool]") {
  TestLoop loop;
  const Pool pool = make_pool(loop, {.max = 1, .queue_limit = 4});
  int refused = 0;
  int done = 0;
  ExpectCalls drained(1);
  pool.on<"drain">([&] { drained(); });
  for (int i = 0; i < 6; ++i) {
    pool.run("echo", i).then([&](const Result<>& result) {
      ++(result ? done : refused);
      if (!result) CHECK(result.error().code() == Errc::queue_full);
    });
  }
  pool.close();
  loop.run();
  CHECK(done == 4);
  CHECK(refused == 2);
}

TEST_CASE("pool: without its loop nothing is called, and nothing is left", "[pool]") {
  TestLoop loop;
  const auto captured = std::make_shared<int>();
  const Pool pool = make_pool(loop);
  const tine::Call call =
      pool.run("sleep", 3'600'000).then([captured](const Result<>&) { FAIL(); });
  pool.on<"start">([&loop, captured] { loop->stop(); });
  loop.run();
  loop.destroy();
  CHECK(captured.use_count() == 1);
  CHECK_FALSE(call.pending());
  pool.run("echo").then([](const Result<>&) { FAIL(); });
  pool.close();
}

TEST_CASE("pool: options that make no sense are refused", "[pool]") {
  TestLoop loop;
  CHECK_THROWS_AS(make_pool(loop, {.min = 3, .max = 2}), tine::Error);
  CHECK_THROWS_AS(make_pool(loop, {.max = 1, .concurrency = 0}), tine::Error);
  CHECK_THROWS_AS(make_pool(loop, {.max = 1, .start_attempts = 0}), tine::Error);
}
