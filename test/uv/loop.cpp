#include <ctime>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include <uv.h>

#include "support/catch.hpp"
#include "support/test_loop.hpp"
#include "uv/loop_core.hpp"

using namespace std::chrono_literals;

TEST_CASE("loop: run() returns when nothing is left", "[uv]") {
  TestLoop loop;
  loop.run();
  loop.run();
}

TEST_CASE("loop: posted functions run in order, before run() returns", "[uv]") {
  TestLoop loop;
  std::vector<int> order;
  loop->post([&] {
    order.push_back(1);
    loop->post([&] { order.push_back(3); });
  });
  loop->post([&] { order.push_back(2); });
  CHECK(order.empty());
  loop.run();
  CHECK(order == std::vector{1, 2, 3});
}

TEST_CASE("loop: timers run in the order of their time, not inside after()", "[uv]") {
  TestLoop loop;
  std::vector<int> order;
  // Each timer but the first is due later than the one before it, even if the machine takes long
  // between the calls.
  tine::Timer last = loop->after(1h, [&] { order.push_back(4); });
  loop->after(0ms, [&] { order.push_back(1); });
  loop->after(5ms, [&] { order.push_back(2); });
  loop->after(20ms, [&] {
    order.push_back(3);
    last.cancel();
  });
  CHECK(order.empty());
  loop.run();
  CHECK(order == std::vector{1, 2, 3});
}

TEST_CASE("loop: a timer waits at least its time, also after a computation", "[uv]") {
  TestLoop loop;
  const auto busy_until = std::chrono::steady_clock::now() + 30ms;
  while (std::chrono::steady_clock::now() < busy_until) {
  }
  const auto start = std::chrono::steady_clock::now();
  loop->after(20ms, [] {});
  loop.run();
  CHECK(std::chrono::steady_clock::now() - start >= 19ms);
}

TEST_CASE("timer: a cancelled timer does not run, and drops its captures", "[uv]") {
  TestLoop loop;
  const auto captured = std::make_shared<int>();
  auto timer = loop->after(1ms, [captured] { FAIL("it ran"); });
  timer.cancel();
  timer.cancel();
  CHECK(captured.use_count() == 1);
  loop.run();
}

TEST_CASE("timer: it may cancel another timer that is due in the same turn", "[uv]") {
  TestLoop loop;
  tine::Timer second;
  loop->after(1ms, [&] { second.cancel(); });
  second = loop->after(1ms, [] { FAIL("it ran"); });
  loop.run();
}

TEST_CASE("timer: after unref() it does not keep the loop running", "[uv]") {
  TestLoop loop;
  auto timer = loop->after(1h, [] {});
  timer.unref();
  loop.run();
  timer.cancel();
}

TEST_CASE("timer: a default one does nothing", "[uv]") {
  tine::Timer timer;
  timer.cancel();
  timer.ref();
  timer.unref();
}

TEST_CASE("loop: a loop that spins does the same as others", "[uv]") {
  TestLoop loop;
  loop->spin(100us);
  std::vector<int> order;
  loop->post([&] {
    order.push_back(1);
    loop->after(5ms, [&] {
      order.push_back(2);
      throw std::runtime_error("two");
    });
  });
  CHECK_THROWS_WITH(loop.run(), "two");
  loop->after(1ms, [&] {
    order.push_back(3);
    loop->after(1ms, [&] {
      order.push_back(4);
      loop->spin(0us);
      loop->after(1ms, [&] { order.push_back(5); });
    });
    loop->stop();
  });
  loop.run();
  CHECK(order == std::vector{1, 2, 3});
  loop.run();
  CHECK(order == std::vector{1, 2, 3, 4, 5});
}

TEST_CASE("loop: a loop that spins gives the core back when events are far apart", "[uv]") {
  TestLoop loop;
  loop->spin(500us);
  int left = 200;
  std::function<void()> again = [&] {
    if (--left > 0) loop->after(2ms, again);
  };
  loop->after(2ms, again);
  const std::clock_t before = std::clock();
  loop.run();
  const double seconds = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
  CHECK(seconds < 0.5 * 200 * 0.0005);  // half of what a loop without back-off uses
}

TEST_CASE("loop: stop() makes run() return early, and the next run() does the rest", "[uv]") {
  TestLoop loop;
  int ran = 0;
  loop->after(0ms, [&] {
    loop->after(20ms, [&] { ++ran; });
    loop->stop();
  });
  loop.run();
  CHECK(ran == 0);
  loop.run();
  CHECK(ran == 1);
}

TEST_CASE("loop: run() throws what a listener throws, and the next run() does what is due",
          "[uv]") {
  TestLoop loop;
  std::vector<int> order;
  loop->post([] { throw std::runtime_error("first"); });
  loop->post([&] { order.push_back(1); });
  loop->after(0ms, [&] { order.push_back(2); });
  CHECK_THROWS_WITH(loop.run(), "first");
  CHECK(order.empty());
  loop.run();
  CHECK(order == std::vector{1, 2});
}

namespace {

class Flushed final : public tine::uv::Flushable {
 public:
  void flush_turn() noexcept override { ++times_; }
  int times_ = 0;
};

}  // namespace

TEST_CASE("loop: an object to flush at the end of the turn may be forgotten, the others stay",
          "[uv]") {
  const auto forgotten = GENERATE(range(std::size_t{0}, std::size_t{4}));  // 3: was not added
  TestLoop loop;
  auto& core = tine::core_of(loop);
  Flushed all[4];
  for (int i = 0; i < 3; ++i) core.flush_at_turn_end(all[i]);
  core.forget(all[forgotten]);
  loop.run();
  for (std::size_t i = 0; i < 3; ++i) CHECK(all[i].times_ == (i == forgotten ? 0 : 1));
  CHECK(all[3].times_ == 0);
}

TEST_CASE("loop: each run() throws one exception", "[uv]") {
  TestLoop loop;
  for (const char* const text : {"one", "two", "three"}) {
    loop->post([text] { throw std::runtime_error(text); });
  }
  CHECK_THROWS_WITH(loop.run(), "one");
  CHECK_THROWS_WITH(loop.run(), "two");
  CHECK_THROWS_WITH(loop.run(), "three");
  loop.run();
}

TEST_CASE("loop: due functions and timers are dropped without a call if the loop is destroyed",
          "[uv]") {
  const auto captured = std::make_shared<int>();
  {
    TestLoop loop;
    loop->post([captured] { FAIL("it ran"); });
    loop->after(0ms, [captured] { FAIL("it ran"); });
    loop.destroy();
  }
  CHECK(captured.use_count() == 1);
}

TEST_CASE("loop: a timer handle that outlives its loop is inert", "[uv]") {
  tine::Timer timer;
  {
    tine::Loop loop;
    timer = loop.after(1h, [] {});
  }
  timer.cancel();
  timer.unref();
}

namespace {

// A loop that belongs to the application.
struct BorrowedLoop {
  BorrowedLoop() { uv_loop_init(&loop); }
  ~BorrowedLoop() {
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&loop) == 0);
  }
  uv_loop_t loop;
};

}  // namespace

TEST_CASE("borrowed loop: uv_run drives it", "[uv]") {
  BorrowedLoop borrowed;
  tine::Loop loop(&borrowed.loop);
  CHECK(loop.native() == &borrowed.loop);
  int ran = 0;
  loop.post([&] { ++ran; });
  loop.after(1ms, [&] { ++ran; });
  while (ran < 2) uv_run(&borrowed.loop, UV_RUN_ONCE);
  CHECK(ran == 2);
}

TEST_CASE("borrowed loop: the handler gets the exceptions of listeners, and the loop goes on",
          "[uv]") {
  BorrowedLoop borrowed;
  tine::Loop loop(&borrowed.loop);
  std::vector<std::string> seen;
  loop.on_exception([&](std::exception_ptr exception) {
    try {
      std::rethrow_exception(exception);
    } catch (const std::exception& error) {
      seen.emplace_back(error.what());
    }
  });
  loop.after(0ms, [] { throw std::runtime_error("thrown"); });
  loop.after(1ms, [&] { seen.emplace_back("ran"); });
  uv_run(&borrowed.loop, UV_RUN_DEFAULT);
  CHECK(seen == std::vector<std::string>{"thrown", "ran"});
}

TEST_CASE("borrowed loop: after run() has thrown, the application may go on with uv_run", "[uv]") {
  BorrowedLoop borrowed;
  tine::Loop loop(&borrowed.loop);
  int handled = 0;
  loop.on_exception([&](std::exception_ptr) { ++handled; });
  for (int i = 0; i < 3; ++i) {
    loop.post([] { throw std::runtime_error("thrown"); });
  }
  CHECK_THROWS_WITH(loop.run(), "thrown");
  uv_run(&borrowed.loop, UV_RUN_DEFAULT);
  CHECK(handled == 2);
}

TEST_CASE("borrowed loop: handles of the application and ours do not disturb each other", "[uv]") {
  BorrowedLoop borrowed;
  uv_timer_t timer;
  uv_timer_init(&borrowed.loop, &timer);
  int ran = 0;
  timer.data = &ran;
  uv_timer_start(
      &timer, [](uv_timer_t* handle) { ++*static_cast<int*>(handle->data); }, 1, 0);
  {
    tine::Loop loop(&borrowed.loop);
    loop.run();
  }
  CHECK(ran == 1);
  uv_close(reinterpret_cast<uv_handle_t*>(&timer), nullptr);
}

TEST_CASE("timer: calls of an empty handle do nothing", "[uv]") {
  const tine::Timer timer;
  CHECK_FALSE(timer);
  timer.cancel();
  timer.ref();
  timer.unref();
  TestLoop loop;
  CHECK(loop->after(0ms, [] {}));
  loop.run();
}
