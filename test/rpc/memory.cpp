// The memory of requests: of those that wait, and that nothing of them stays.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <new>

#include <tine/scope.hpp>
#include <tine/task.hpp>

#include "rpc/rpc_test.hpp"
#include "support/scale.hpp"
#include "wire/heap.hpp"

using namespace std::chrono_literals;
using tine::Task;

namespace {

// Makes requests that are not answered for now, and waits until the child has them. It makes a few at
// a time, so that the channel's buffers stay small and do not count.
void wait_for(TestLoop& loop, Asked& asked, int count, bool with_deadline, int& settled) {
  constexpr int at_once = 100;
  for (int i = 0; i < count; ++i) {
    auto request = asked.rpc.request("keep", i);
    if (with_deadline) request = std::move(request).within(1h);
    std::move(request).then([&settled](const tine::Result<>&) { ++settled; });
    if ((i + 1) % at_once != 0) continue;
    asked.rpc.request("echo").then([&] { loop->stop(); });
    loop.run();
  }
}

}  // namespace

TEST_CASE("requests: one that waits takes at most 400 bytes", "[rpc]") {
  const bool with_deadline = GENERATE(false, true);
  constexpr int many = 10'000;
  TestLoop loop;
  Asked asked(loop);
  int settled = 0;
  wait_for(loop, asked, 2 * many, with_deadline, settled);  // the table of requests grows
  const std::size_t before = heap::live_bytes();
  wait_for(loop, asked, many, with_deadline, settled);
  const std::size_t each = (heap::live_bytes() - before) / many;
  CHECK(each <= 400);
  CHECK(asked.rpc.pending() == 3 * many);
  asked.rpc.request("release").then(asked.disconnect());
  loop.run();
  CHECK(settled == 3 * many);
}

namespace {

// Makes many requests, some at a time. Each part has the deadline of a TestLoop for itself.
class Series {
 public:
  Series(TestLoop& loop, Asked& asked) : loop_(loop), asked_(asked) {}

  void make(int count) {
    left_ = count;
    waiting_ = count;
    const int at_once = std::min(count, 100);
    // The requests are made in the loop, as those of a program are.
    asked_.rpc.request("echo").then([this, at_once] {
      for (int i = 0; i < at_once; ++i) next();
    });
    loop_.run();
    CHECK(waiting_ == 0);
  }

 private:
  // Some are cancelled, some are refused, and some have progress.
  void next() {
    --left_;
    const int i = ++number_;
    const auto done = [this, i](const tine::Result<int>& result) { settled(i, result); };
    if (i % 10 == 0) return asked_.rpc.request("wait").then(done).cancel();
    if (i % 10 == 1) return static_cast<void>(asked_.rpc.request("no such method").then(done));
    if (i % 10 == 2) {
      const auto listener = [](const json&) {};
      return static_cast<void>(
          asked_.rpc.request("work", 1).on_progress("token", listener).then(done));
    }
    asked_.rpc.request("add", tine::object("a", i, "b", 1)).within(1h).then(done);
  }

  void settled(int i, const tine::Result<int>& result) {
    if (static_cast<bool>(result) != (i % 10 > 1)) FAIL("a request has another outcome");
    if (i % 10 > 2 && *result != i + 1) FAIL("the answer is another request's");
    if (left_ > 0) next();
    if (--waiting_ == 0) loop_->stop();
  }

  TestLoop& loop_;
  Asked& asked_;
  int number_ = 0;
  int left_ = 0;
  int waiting_ = 0;
};

Task<> ask_in_turn(const tine::Rpc& rpc, int count) {
  for (int i = 0; i < count; ++i) {
    const auto sum = co_await rpc.request<int>("add", tine::object("a", i, "b", 1)).within(1h);
    if (sum != i + 1) FAIL("the answer is another request's");
    if (i % 10 != 0) continue;
    const auto late = [&]() -> Task<> { co_await rpc.request("sleep", 3'600'000).within(1ms); };
    bool failed = false;
    try {
      if (i % 1000 == 0) co_await late();
      else co_await rpc.request("no such method");
    } catch (const tine::RpcError&) {
      failed = true;
    }
    if (!failed) FAIL("a request has not failed");
  }
}

Task<> ask_at_once(const tine::Rpc& rpc, int count) {
  constexpr int at_once = 100;
  auto scope = co_await tine::Scope::open();
  for (int i = 0; i < at_once; ++i) scope.start(ask_in_turn(rpc, count / at_once));
  co_await scope.join();
}

// Calls `make` with the size of each part, and checks that the later ones leave no memory behind.
template <class F>
void check_flat(F make) {
  const int many = scaled(100'000, 10'000'000);
  constexpr int parts = 20;
  constexpr int warm_up = 5;
  std::size_t before = 0;
  for (int part = 0; part < parts; ++part) {
    if (part == warm_up) before = heap::live_bytes();
    make(many / parts);
  }
  CHECK(heap::live_bytes() < before + 100'000);
}

}  // namespace

TEST_CASE("requests: nothing of them stays", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  Series series(loop, asked);
  check_flat([&](int count) { series.make(count); });
  asked.end();
  loop.run();
  CHECK(asked.rpc.pending() == 0);
}

TEST_CASE("requests: nothing of those that are awaited stays", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  check_flat([&](int count) { tine::run(loop, ask_at_once(asked.rpc, count)); });
  asked.end();
  loop.run();
  CHECK(asked.rpc.pending() == 0);
}

TEST_CASE("requests: if memory runs out at the end of the channel, they fail all the same", "[rpc]") {
  for (int after = 0; after < 60; ++after) {
    TestLoop loop;
    Asked asked(loop);
    int failed = 0;
    for (int i = 0; i < 3; ++i) {
      asked.rpc.request("keep", i).then([&](const tine::Result<>& result) {
        failed += !result && result.error().code() == Errc::channel_closed;
      });
    }
    int failed_before_close = 0;
    asked.child.on<"close">([&] { failed_before_close = failed; });
    asked.child.kill(SIGKILL);
    heap::fail_after(after);
    for (bool again = true; again;) {
      again = false;
      try {
        loop.run();
      } catch (const std::bad_alloc&) {
        again = true;
      }
    }
    heap::fail_after(-1);
    CHECK(failed == 3);
    CHECK(failed_before_close == 3);
    CHECK(asked.rpc.pending() == 0);
  }
}
