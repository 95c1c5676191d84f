// Tasks that run at the same time: Scope, all() and any().
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "task/task_test.hpp"

using namespace std::chrono_literals;

namespace {

tine::Task<int> number(int value, Frame = {}) { co_return value; }

tine::Task<int> after(std::chrono::milliseconds time, int value, Frame = {}) {
  co_await tine::sleep(time);
  co_return value;
}

tine::Task<> fail(const char* why, Frame = {}) {
  co_await tine::sleep(1ms);
  throw std::runtime_error(why);
}

// Waits until it is stopped, and notes that.
tine::Task<> wait(int& stopped, Frame = {}) {
  try {
    co_await tine::sleep(1h);
  } catch (const tine::Error& error) {
    stopped += error.code() == tine::Errc::aborted;
    throw;
  }
}

// Takes a while to end when it is stopped.
tine::Task<> end_slowly(int& ended, Frame = {}) {
  try {
    co_await tine::sleep(1h);
  } catch (const tine::Error&) {
  }
  for (int i = 0; i < 3; ++i) {
    try {
      co_await tine::sleep(1h);
    } catch (const tine::Error&) {
    }
  }
  ++ended;
}

}  // namespace

TEST_CASE("all: it returns the values of tasks of different types", "[task]") {
  TaskLoop loop;
  const auto text = [](Frame = {}) -> tine::Task<std::string> { co_return "text"; };
  const auto nothing = [](Frame = {}) -> tine::Task<> { co_await tine::sleep(1ms); };
  const auto values = tine::run(loop, tine::all(after(2ms, 1), text(), nothing(), number(2)));
  CHECK(values == std::tuple(1, std::string("text"), std::monostate(), 2));
}

TEST_CASE("all: the tasks run at the same time", "[task]") {
  TaskLoop loop;
  const Bell bell;
  // Each waits for what the other does.
  const auto first = [&](Frame = {}) -> tine::Task<> {
    co_await tine::once<"number">(bell);
    bell.emit<"stop">();
  };
  const auto second = [&](Frame = {}) -> tine::Task<> {
    co_await tine::sleep(1ms);
    bell.emit<"number">(1);
    co_await tine::once<"stop">(bell).within(1h);
  };
  tine::run(loop, tine::all(second(), first()));
}

TEST_CASE("all: the first failure stops the others, and is thrown when they have ended", "[task]") {
  TaskLoop loop;
  int stopped = 0;
  int ended = 0;
  CHECK_THROWS_WITH(
      tine::run(loop, tine::all(wait(stopped), fail("first"), end_slowly(ended), wait(stopped))),
      "first");
  CHECK(stopped == 2);
  CHECK(ended == 1);
  CHECK(Frame::alive() == 0);
}

TEST_CASE("all: of a vector it returns the values in order", "[task]") {
  TaskLoop loop;
  std::vector<tine::Task<int>> tasks;
  for (int i = 0; i < 4; ++i) tasks.push_back(after(std::chrono::milliseconds(8 - 2 * i), i));
  CHECK(tine::run(loop, tine::all(std::move(tasks))) == std::vector{0, 1, 2, 3});
  CHECK(tine::run(loop, tine::all(std::vector<tine::Task<>>())).empty());
}

TEST_CASE("any: it returns the value and the place of the first", "[task]") {
  TaskLoop loop;
  int stopped = 0;
  const auto first = tine::run(loop, tine::any(wait(stopped), after(1ms, 7), after(1h, 8)));
  CHECK(first.index() == 1);
  CHECK(std::get<1>(first) == 7);
  CHECK(stopped == 1);
  CHECK(Frame::alive() == 0);
}

TEST_CASE("any: of two that are ready the first argument counts", "[task]") {
  TaskLoop loop;
  CHECK(tine::run(loop, tine::any(number(1), number(2))).index() == 0);
}

TEST_CASE("any: it waits for the end of the others", "[task]") {
  TaskLoop loop;
  int ended = 0;
  CHECK(tine::run(loop, tine::any(end_slowly(ended), number(2))).index() == 1);
  CHECK(ended == 1);
}

TEST_CASE("any: a failure counts as an end, and later ones are dropped", "[task]") {
  TaskLoop loop;
  int stopped = 0;
  CHECK_THROWS_WITH(tine::run(loop, tine::any(wait(stopped), fail("first"))), "first");
  CHECK(stopped == 1);
  const auto fails_when_stopped = [](Frame = {}) -> tine::Task<> {
    try {
      co_await tine::sleep(1h);
    } catch (const tine::Error&) {
      throw std::runtime_error("dropped");
    }
  };
  CHECK(tine::run(loop, tine::any(fails_when_stopped(), number(3))).index() == 1);
}

TEST_CASE("scope: join() waits for all, also for those that were started meanwhile", "[task]") {
  TaskLoop loop;
  std::vector<int> ended;
  const auto note = [&](int number, Frame = {}) -> tine::Task<> {
    co_await tine::sleep(1ms);
    ended.push_back(number);
  };
  const auto parent = [&](Frame = {}) -> tine::Task<> {
    auto scope = co_await tine::Scope::open();
    const auto nested = [&](Frame = {}) -> tine::Task<> {
      co_await tine::sleep(1ms);
      scope.start(note(2));
    };
    scope.start(note(1));
    scope.start(nested());
    co_await scope.join();
    ended.push_back(3);
    scope.start(note(4));
    co_await scope.join();
    co_await scope.join();
  };
  tine::run(loop, parent());
  CHECK(ended == std::vector{1, 2, 3, 4});
}

TEST_CASE("scope: join() waits also for a task that the end of the last one starts", "[task]") {
  TaskLoop loop;
  bool ended = false;
  const auto parent = [&](Frame = {}) -> tine::Task<> {
    auto scope = co_await tine::Scope::open();
    const auto quick = [&](Frame = {}) -> tine::Task<> {
      co_await tine::sleep(1ms);
      ended = true;
    };
    // An argument lives as long as the frame.
    std::shared_ptr<void> starter(nullptr, [&](void*) { scope.start(quick()); });
    scope.start(
        [](std::shared_ptr<void>, Frame = {}) -> tine::Task<> { co_return; }(std::move(starter)));
    co_await scope.join();
    CHECK(ended);
  };
  tine::run(loop, parent());
}

#ifndef NDEBUG
TEST_CASE("scope: two tasks that join it at the same time are a bug that is noticed", "[task]") {
  CHECK(aborts([] {
    tine::Loop loop;
    tine::run(loop, []() -> tine::Task<> {
      auto scope = co_await tine::Scope::open();
      scope.start([]() -> tine::Task<> { co_await tine::sleep(1h); }());
      const auto join = [](tine::Scope& its) -> tine::Task<> { co_await its.join(); };
      co_await tine::all(join(scope), join(scope));
    });
  }));
}
#endif

TEST_CASE("scope: a task that joins it may be destroyed first", "[task]") {
  TaskLoop loop;
  const Bell bell;
  const auto ring = [](Bell its, Frame = {}) -> tine::Task<> { co_await tine::once<"stop">(its); };
  const auto join = [](tine::Scope& its, Frame = {}) -> tine::Task<> { co_await its.join(); };
  const auto parent = [&](Frame = {}) -> tine::Task<> {
    auto scope = co_await tine::Scope::open();
    scope.start(ring(bell));
    {
      auto inner = co_await tine::Scope::open();
      inner.start(join(scope));
      co_await turns(loop);
    }
    bell.emit<"stop">();
    co_await turns(loop);
  };
  tine::run(loop, parent());
}

TEST_CASE("scope: tasks begin while the task that opened it does other things", "[task]") {
  TaskLoop loop;
  int stopped = 0;
  const Bell bell;
  const auto ring = [&](Frame = {}) -> tine::Task<> {
    co_await tine::sleep(1ms);
    bell.emit<"stop">();
  };
  const auto parent = [&](Frame = {}) -> tine::Task<> {
    auto scope = co_await tine::Scope::open();
    scope.start(wait(stopped));
    scope.start(ring());
    co_await tine::once<"stop">(bell);
    scope.stop();
    scope.start(wait(stopped));
    co_await scope.join();
  };
  tine::run(loop, parent());
  CHECK(stopped == 2);
}

TEST_CASE("scope: the first failure stops the others, and is thrown by join()", "[task]") {
  TaskLoop loop;
  int stopped = 0;
  const auto parent = [&](Frame = {}) -> tine::Task<std::string> {
    auto scope = co_await tine::Scope::open();
    for (int i = 0; i < 3; ++i) scope.start(wait(stopped));
    scope.start(fail("first"));
    try {
      co_await scope.join();
    } catch (const std::runtime_error& error) {
      co_return error.what();
    }
    co_return "";
  };
  CHECK(tine::run(loop, parent()) == "first");
  CHECK(stopped == 3);
}

TEST_CASE("scope: a task that fails after stop() is a failure", "[task]") {
  TaskLoop loop;
  const auto parent = [&](Frame = {}) -> tine::Task<> {
    auto scope = co_await tine::Scope::open();
    scope.start([](Frame = {}) -> tine::Task<> {
      try {
        co_await tine::sleep(1h);
      } catch (const tine::Error&) {
        throw std::runtime_error("while stopping");
      }
    }());
    scope.stop();
    co_await scope.join();
  };
  CHECK_THROWS_WITH(tine::run(loop, parent()), "while stopping");
}

TEST_CASE("scope: it destroys what has not ended, the last task first", "[task]") {
  TaskLoop loop;
  std::vector<int> order;
  const auto hold = [&](int number, Frame = {}) -> tine::Task<> {
    const std::shared_ptr<void> note(nullptr, [&order, number](void*) { order.push_back(number); });
    co_await tine::sleep(1h);
  };
  const auto parent = [&](Frame = {}) -> tine::Task<> {
    auto scope = co_await tine::Scope::open();
    for (int i = 0; i < 3; ++i) scope.start(hold(i));
    co_await tine::sleep(1ms);
  };
  tine::run(loop, parent());
  CHECK(order == std::vector{2, 1, 0});
}

TEST_CASE("scope: a thousand tasks, of which each ends at its own time", "[task]") {
  TaskLoop loop;
  int ended = 0;
  const auto count = [&](int i, Frame = {}) -> tine::Task<> {
    co_await tine::sleep(std::chrono::milliseconds(i % 7));
    ++ended;
  };
  const auto parent = [&](Frame = {}) -> tine::Task<> {
    auto scope = co_await tine::Scope::open();
    for (int i = 0; i < 1000; ++i) scope.start(count(i));
    co_await scope.join();
  };
  tine::run(loop, parent());
  CHECK(ended == 1000);
}
