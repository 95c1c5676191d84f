// Stops and deadlines of tasks.
#include <atomic>
#include <stop_token>
#include <thread>
#include <vector>

#include "support/scale.hpp"
#include "task/awaits.hpp"

using namespace std::chrono_literals;

namespace {

tine::Task<> wait_for(Bell bell, Frame = {}) { co_await tine::once<"stop">(bell); }

}  // namespace

TEST_CASE("stop: each await throws Errc::aborted on a later turn", "[task]") {
  for (const Await& await : all_awaits()) {
    INFO(await.name);
    TaskLoop loop;
    Silence silence(loop);
    std::stop_source stop;
    std::error_code thrown;
    const auto watch = [&](Frame = {}) -> tine::Task<> {
      try {
        co_await await.task(silence, Frame());
      } catch (const tine::Error& error) {
        thrown = error.code();
      }
    };
    tine::start(loop, watch(), stop.get_token());
    settle(loop);
    CHECK(Frame::alive() > 0);
    CHECK(stop.request_stop());
    CHECK(Frame::alive() > 0);
    CHECK_FALSE(thrown);

    silence.child.disconnect();
    loop.run();
    CHECK(thrown == tine::Errc::aborted);
    CHECK(silence.bell.listeners() == 0);
    CHECK(Frame::alive() == 0);
  }
}

TEST_CASE("deadline: each await throws Errc::timed_out", "[task]") {
  for (const Await& await : all_awaits()) {
    INFO(await.name);
    TaskLoop loop;
    Silence silence(loop);
    CHECK(error_of(loop, await.task(silence, Frame()).within(5ms)) == tine::Errc::timed_out);
    CHECK(silence.bell.listeners() == 0);
    CHECK(Frame::alive() == 0);
    silence.child.disconnect();
    loop.run();
  }
}

TEST_CASE("stop: a token that was stopped before ends the first await", "[task]") {
  TaskLoop loop;
  const Bell bell;
  std::stop_source stop;
  stop.request_stop();
  CHECK(error_of(loop, wait_for(bell), stop.get_token()) == tine::Errc::aborted);
}

TEST_CASE("stop: every later await throws too, and a task may end with a value all the same",
          "[task]") {
  TaskLoop loop;
  std::stop_source stop;
  const Bell bell;
  const auto count = [&](Frame = {}) -> tine::Task<int> {
    int failures = 0;
    for (int i = 0; i < 3; ++i) {
      try {
        co_await wait_for(bell);
      } catch (const tine::Error& error) {
        failures += error.code() == tine::Errc::aborted;
      }
    }
    co_return failures;
  };
  loop->post([&] { stop.request_stop(); });
  CHECK(tine::run(loop, count(), stop.get_token()) == 3);
}

TEST_CASE("stop: an await whose event has come keeps it", "[task]") {
  TaskLoop loop;
  std::stop_source stop;
  const Bell bell;
  const auto number = [&](Frame = {}) -> tine::Task<int> {
    co_return co_await tine::once<"number">(bell);
  };
  // In one turn, so that the task cannot go on in between.
  const tine::Timer timer = loop->after(5ms, [&] {
    bell.emit<"number">(7);
    stop.request_stop();
  });
  CHECK(tine::run(loop, number(), stop.get_token()) == 7);
}

TEST_CASE("stop: a task of start() that is stopped just ends, one that fails does not", "[task]") {
  TaskLoop loop;
  std::stop_source stop;
  const Bell bell;
  tine::start(loop, wait_for(bell), stop.get_token());
  settle(loop);
  stop.request_stop();
  loop.run();

  std::stop_source other;
  tine::start(
      loop,
      [&]() -> tine::Task<> {
        try {
          co_await wait_for(bell);
        } catch (const tine::Error&) {
          throw std::runtime_error("cleaning up failed");
        }
      },
      other.get_token());
  settle(loop);
  other.request_stop();
  CHECK_THROWS_WITH(loop.run(), "cleaning up failed");
}

TEST_CASE("stop: Errc::aborted that nobody asked for comes out of Loop::run()", "[task]") {
  TaskLoop loop;
  tine::start(loop, []() -> tine::Task<> {
    co_await tine::sleep(1ms);
    throw tine::Error(tine::Errc::aborted);
  });
  CHECK_THROWS_AS(loop.run(), tine::Error);
}

TEST_CASE("stop: nothing is resumed inside request_stop()", "[task]") {
  TaskLoop loop;
  std::stop_source stop;
  const Bell bell;
  bool requesting = false;
  const auto watch = [&](Frame = {}) -> tine::Task<> {
    try {
      co_await wait_for(bell);
    } catch (const tine::Error&) {
      CHECK_FALSE(requesting);
    }
  };
  tine::start(loop, watch(), stop.get_token());
  loop->after(2ms, [&] {
    requesting = true;
    stop.request_stop();
    requesting = false;
  });
  loop.run();
}

TEST_CASE("stop: it may come from another thread at any time", "[task]") {
  TaskLoop loop;
  const Bell bell;
  const int count = scaled(2'000, 100'000);
  constexpr int last = 3;
  std::atomic<std::stop_source*> next = nullptr;
  std::atomic<bool> done = false;
  std::atomic<int> requested = 0;
  std::atomic<int> begun = 0;  // how many awaits of the task that is to be stopped
  std::thread other([&] {
    while (!done) {
      std::stop_source* const stop = next.exchange(nullptr);
      if (stop == nullptr) {
        std::this_thread::yield();
        continue;
      }
      while (begun < requested % (last + 1)) std::this_thread::yield();
      stop->request_stop();
      ++requested;
    }
  });
  // Each await but the last one ends by itself, so the stop comes while the task runs, waits, or is
  // about to go on.
  const auto soon_ended = [&](Frame = {}) -> tine::Task<> { co_await turn(loop); };
  const auto various = [&](int kind, Frame = {}) -> tine::Task<> {
    while (++begun < last) {
      if (kind % 4 == 0) co_await tine::all(soon_ended(), soon_ended());
      if (kind % 4 == 1) co_await soon_ended().within(1h);
      if (kind % 4 == 2) co_await tine::any(tine::once<"number">(bell), soon_ended());
      if (kind % 4 == 3) co_await soon_ended();
    }
    co_await wait_for(bell);
  };
  int aborted = 0;
  for (int i = 0; i < count; ++i) {
    std::stop_source stop;
    begun = 0;
    next = &stop;
    aborted += error_of(loop, various(i / (last + 1)), stop.get_token()) == tine::Errc::aborted;
    while (requested <= i) std::this_thread::yield();
  }
  done = true;
  other.join();
  CHECK(aborted == count);
  CHECK(bell.listeners() == 0);
  CHECK(Frame::alive() == 0);
}

TEST_CASE("stop: it may come while the loop is destroyed", "[task]") {
  const int count = scaled(200, 2'000);
  const Bell bell;
  for (int i = 0; i < count; ++i) {
    std::stop_source stop;
    std::atomic<bool> go = false;
    std::thread other([&] {
      while (!go) {
      }
      stop.request_stop();
    });
    {
      TaskLoop loop;
      tine::start(loop, wait_for(bell), stop.get_token());
      go = true;
      loop.destroy();
    }
    other.join();
  }
  CHECK(bell.listeners() == 0);
}

TEST_CASE("deadline: the earlier one counts, whichever task it is of", "[task]") {
  TaskLoop loop;
  const Bell bell;
  const auto outer = [&](std::chrono::milliseconds inner, Frame = {}) -> tine::Task<> {
    co_await wait_for(bell).within(inner);
  };
  CHECK(error_of(loop, outer(1h).within(5ms)) == tine::Errc::timed_out);
  CHECK(error_of(loop, outer(5ms).within(1h)) == tine::Errc::timed_out);
  CHECK(error_of(loop, outer(-5ms)) == tine::Errc::timed_out);
}

TEST_CASE("deadline: one that is too far away for the clock is none, one in the past has come",
          "[task]") {
  TaskLoop loop;
  const auto quick = [](Frame = {}) -> tine::Task<int> {
    co_await tine::sleep(1ms);
    co_return 1;
  };
  const auto outer = [&](Frame = {}) -> tine::Task<int> {
    co_return co_await quick().within(std::chrono::milliseconds::max());
  };
  CHECK(tine::run(loop, quick().within(std::chrono::milliseconds::max())) == 1);
  CHECK(tine::run(loop, outer()) == 1);
  const Bell bell;
  CHECK(error_of(loop, wait_for(bell).within(std::chrono::milliseconds::min())) ==
        tine::Errc::timed_out);
}

TEST_CASE("deadline: after an inner one the outer task goes on", "[task]") {
  TaskLoop loop;
  const Bell bell;
  const auto outer = [&](Frame = {}) -> tine::Task<int> {
    int timeouts = 0;
    for (int i = 0; i < 3; ++i) {
      try {
        co_await wait_for(bell).within(1ms);
      } catch (const tine::Error& error) {
        timeouts += error.code() == tine::Errc::timed_out;
      }
    }
    co_await tine::sleep(1ms);
    co_return timeouts;
  };
  CHECK(tine::run(loop, outer().within(1h)) == 3);
}

TEST_CASE("deadline: a task that ends in time leaves no timer", "[task]") {
  TaskLoop loop;
  const auto quick = [](Frame = {}) -> tine::Task<int> {
    co_await tine::sleep(1ms);
    co_return 1;
  };
  CHECK(tine::run(loop, quick().within(1h)) == 1);
  loop.run();
}

TEST_CASE("deadline: a task of start() throws it out of Loop::run()", "[task]") {
  TaskLoop loop;
  const Bell bell;
  tine::start(loop, wait_for(bell).within(1ms));
  CHECK_THROWS_AS(loop.run(), tine::Error);
}
