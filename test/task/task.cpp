// Tasks that await tasks, start() and run().
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <uv.h>

#include "task/task_test.hpp"

using namespace std::chrono_literals;

namespace {

tine::Task<int> number(int value, Frame = {}) { co_return value; }

tine::Task<int> later(int value, Frame = {}) {
  co_await tine::sleep(1ms);
  co_return value;
}

tine::Task<> fail(std::string why, Frame = {}) {
  co_await tine::sleep(1ms);
  throw std::runtime_error(why);
}

tine::Task<> note(std::vector<int>& order, int number, Frame = {}) {
  order.push_back(number);
  co_await tine::sleep(1ms);
  order.push_back(-number);
}

tine::Task<int> sum(Frame = {}) { co_return co_await number(1) + co_await later(2); }

}  // namespace

TEST_CASE("task: it returns a value", "[task]") {
  TaskLoop loop;
  CHECK(tine::run(loop, number(1)) == 1);
  CHECK(tine::run(loop, later(2)) == 2);
  CHECK(tine::run(loop, sum()) == 3);
}

TEST_CASE("task: a value may be one that cannot be copied or default-constructed", "[task]") {
  TaskLoop loop;
  struct Value {
    explicit Value(std::unique_ptr<int> its) : inner(std::move(its)) {}
    std::unique_ptr<int> inner;
  };
  const auto make = [](Frame = {}) -> tine::Task<Value> {
    co_return Value(std::make_unique<int>(3));
  };
  const auto pass_on = [&](Frame = {}) -> tine::Task<Value> {
    Value value = co_await make();
    ++*value.inner;
    co_return value;
  };
  CHECK(*tine::run(loop, pass_on()).inner == 4);
}

TEST_CASE("task: what it throws is thrown to who awaits it", "[task]") {
  TaskLoop loop;
  const auto caught = [](Frame = {}) -> tine::Task<std::string> {
    try {
      co_await fail("inner");
    } catch (const std::runtime_error& error) {
      co_return error.what();
    }
    co_return "nothing";
  };
  CHECK(tine::run(loop, caught()) == "inner");
  CHECK_THROWS_WITH(tine::run(loop, fail("outer")), "outer");
}

TEST_CASE("task: one that nobody awaits or starts does nothing", "[task]") {
  TaskLoop loop;
  std::vector<int> order;
  {
    const tine::Task<> never = note(order, 1);
    CHECK(never);
    CHECK(Frame::alive() == 1);
  }
  CHECK(Frame::alive() == 0);
  loop.run();
  CHECK(order.empty());
}

TEST_CASE("task: moving and assigning one keeps what it owns, and no more", "[task]") {
  TaskLoop loop;
  auto task = number(1);
  auto other = number(2);
  task = std::move(other);
  CHECK(Frame::alive() == 1);
  CHECK_FALSE(other);
  CHECK(tine::run(loop, std::move(task)) == 2);
  CHECK_FALSE(task);
}

#ifndef NDEBUG
TEST_CASE("task: to limit, start or await an empty one is a bug that is noticed", "[task]") {
  CHECK(aborts([] { static_cast<void>(tine::Task<>().within(1h)); }));
  CHECK(aborts([] {
    tine::Loop loop;
    tine::start(loop, tine::Task<>());
  }));
  CHECK(aborts([] {
    tine::Loop loop;
    tine::run(loop, []() -> tine::Task<> {
      tine::Task<> empty;
      co_await std::move(empty);
    });
  }));
}
#endif

TEST_CASE("start: a task begins on a later turn, and keeps the loop", "[task]") {
  TaskLoop loop;
  std::vector<int> order;
  tine::start(loop, note(order, 1));
  tine::start(loop, note(order, 2));
  CHECK(order.empty());
  loop.run();
  CHECK(order == std::vector{1, 2, -1, -2});
}

TEST_CASE("start: a callable lives as long as its task", "[task]") {
  TaskLoop loop;
  std::weak_ptr<int> watch;
  int seen = 0;
  {
    const auto captured = std::make_shared<int>(5);
    watch = captured;
    tine::start(loop, [captured, &seen, frame = Frame()]() -> tine::Task<> {
      co_await tine::sleep(1ms);
      seen = *captured;
    });
  }
  CHECK_FALSE(watch.expired());
  loop.run();
  CHECK(seen == 5);
  CHECK(watch.expired());
}

TEST_CASE(
    "start: what a task throws comes out of Loop::run(), and the other tasks go on in the next",
    "[task]") {
  TaskLoop loop;
  std::vector<int> order;
  tine::start(loop, fail("first"));
  tine::start(loop, note(order, 1));
  CHECK_THROWS_WITH(loop.run(), "first");
  loop.run();
  CHECK(order == std::vector{1, -1});
}

TEST_CASE("start: no listener runs between the exception of a task and the next run()", "[task]") {
  TaskLoop loop;
  const auto throws = [&](Frame = {}) -> tine::Task<> {
    loop->post([] { FAIL("ran after the exception"); });
    throw std::runtime_error("now");
    co_return;
  };
  tine::start(loop, throws());
  CHECK_THROWS_WITH(loop.run(), "now");
  loop.destroy();
}

TEST_CASE("run: it returns when its task has ended, and the rest stays on the loop", "[task]") {
  TaskLoop loop;
  std::vector<int> order;
  const Bell bell;
  tine::start(loop, [&]() -> tine::Task<> {
    co_await tine::once<"stop">(bell);
    order.push_back(2);
  });
  tine::run(loop, note(order, 1));
  CHECK(order == std::vector{1, -1});
  bell.emit<"stop">();
  CHECK(order == std::vector{1, -1});
  loop.run();
  CHECK(order == std::vector{1, -1, 2});
}

TEST_CASE("run: a callable that captures may be given", "[task]") {
  TaskLoop loop;
  const auto text = std::make_shared<std::string>("captured");
  const auto read = [text]() -> tine::Task<std::string> {
    co_await tine::sleep(1ms);
    co_return *text;
  };
  CHECK(tine::run(loop, read) == "captured");
}

TEST_CASE("run: Loop::stop() destroys the task, and so does the exception of a listener",
          "[task]") {
  TaskLoop loop;
  const auto wait = [](Frame = {}) -> tine::Task<> { co_await tine::sleep(1h); };
  loop->post([&] { loop->stop(); });
  CHECK(error_of(loop, wait()) == tine::Errc::aborted);
  CHECK(Frame::alive() == 0);

  loop->post([] { throw std::runtime_error("of a listener"); });
  CHECK_THROWS_WITH(tine::run(loop, wait()), "of a listener");
  CHECK(Frame::alive() == 0);
  loop.run();
}

TEST_CASE("run: in a listener of the loop it is refused, and its task destroyed", "[task]") {
  TaskLoop loop;
  loop->post([&] { tine::run(loop, number(1)); });
  CHECK_THROWS_AS(loop.run(), std::logic_error);
  CHECK(Frame::alive() == 0);
}

TEST_CASE("task: on a borrowed loop that uv_run() drives, the handler gets what it throws",
          "[task]") {
  AllFramesDestroyed frames;
  uv_loop_t native;
  REQUIRE(uv_loop_init(&native) == 0);
  {
    tine::Loop loop(&native);
    std::string text;
    loop.on_exception([&](std::exception_ptr thrown) {
      try {
        std::rethrow_exception(thrown);
      } catch (const std::exception& error) {
        text = error.what();
      }
    });
    tine::start(loop, fail("handled"));
    uv_run(&native, UV_RUN_DEFAULT);
    CHECK(text == "handled");
  }
  uv_run(&native, UV_RUN_DEFAULT);
  CHECK(uv_loop_close(&native) == 0);
}

TEST_CASE("task: 100 000 awaits of what is ready need no stack", "[task]") {
  TaskLoop loop;
  constexpr int count = 100'000;
  const auto add = [](Frame = {}) -> tine::Task<int> {
    int total = 0;
    for (int i = 0; i < count; ++i) total += co_await number(1);
    co_return total;
  };
  CHECK(tine::run(loop, add()) == count);
}

namespace {

// A chain of tasks that await each other.
tine::Task<int> depth_of(int depth, Frame = {}) {
  if (depth == 0) {
    co_await tine::sleep(1ms);
    co_return 0;
  }
  co_return 1 + co_await depth_of(depth - 1);
}

tine::Task<int> fail_at(int depth, Frame = {}) {
  if (depth == 0) throw std::runtime_error("deep");
  co_return 1 + co_await fail_at(depth - 1);
}

}  // namespace

TEST_CASE("task: a chain of 10 000 tasks begins, ends and fails without stack for each", "[task]") {
  TaskLoop loop;
  CHECK(tine::run(loop, depth_of(10'000)) == 10'000);
  CHECK_THROWS_WITH(tine::run(loop, fail_at(1'000)), "deep");
}

TEST_CASE("sleep: those that end at the same time end in order", "[task]") {
  TaskLoop loop;
  std::vector<int> order;
  const auto wait = [&](int number, std::chrono::milliseconds time, Frame = {}) -> tine::Task<> {
    co_await tine::sleep(time);
    order.push_back(number);
  };
  tine::start(loop, wait(1, 0ms));
  tine::start(loop, wait(2, 1ms));
  tine::start(loop, wait(3, -1h));
  // Uses the time up, so that all three have ended when the loop looks.
  tine::start(loop, []() -> tine::Task<> {
    const auto start = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - start < 5ms) {
    }
    co_return;
  });
  loop.run();
  CHECK(order == std::vector{1, 2, 3});
}

TEST_CASE("sleep: it waits at least its time", "[task]") {
  TaskLoop loop;
  const auto start = std::chrono::steady_clock::now();
  tine::run(loop, []() -> tine::Task<> { co_await tine::sleep(20ms); });
  CHECK(std::chrono::steady_clock::now() - start >= 19ms);
}
