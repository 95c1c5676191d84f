// What a task can await, in coroutines of other types.
#include <coroutine>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

#include "task/task_test.hpp"

using namespace std::chrono_literals;

namespace {

// A coroutine that runs at once and destroys itself at its end. Another library's would look like
// this.
struct Detached {
  struct promise_type {
    Detached get_return_object() const { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const {}
    void unhandled_exception() const { std::terminate(); }
  };
};

// A coroutine that its owner destroys.
class Owned {
 public:
  struct promise_type {
    Owned get_return_object() {
      return Owned(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_always final_suspend() const noexcept { return {}; }
    void return_void() const {}
    void unhandled_exception() const { throw; }
  };
  explicit Owned(std::coroutine_handle<promise_type> frame) : frame_(frame) {}
  Owned(Owned&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  Owned& operator=(Owned&&) = delete;
  ~Owned() {
    if (frame_) frame_.destroy();
  }

 private:
  std::coroutine_handle<promise_type> frame_;
};

tine::Task<int> later(int value, Frame = {}) {
  co_await tine::sleep(1ms);
  co_return value;
}

Detached collect(tine::Loop& loop, Bell bell, std::string& seen, Frame = {}) {
  co_await tine::on_loop(loop, tine::sleep(1ms));
  const int value = co_await tine::on_loop(loop, later(3));
  seen += std::to_string(value);
  const int number = co_await tine::on_loop(loop, tine::once<"number">(bell).within(1h));
  seen += std::to_string(number);
  try {
    co_await tine::on_loop(loop, tine::once<"stop">(bell).within(1ms));
  } catch (const tine::Error& error) {
    seen += error.code() == tine::Errc::timed_out ? " late" : " wrong";
  }
}

// Goes on when it is called, inside whatever calls it.
class Gate {
 public:
  // Not the gate itself: g++ 12 copies an awaiter that a lambda has captured by reference.
  class Awaiter {
   public:
    explicit Awaiter(Gate& gate) : gate_(&gate) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiting) const { gate_->waiting_ = waiting; }
    void await_resume() const noexcept {}

   private:
    Gate* gate_;
  };
  Awaiter operator co_await() { return Awaiter(*this); }

  bool awaited() const { return waiting_ != nullptr; }
  void open() { std::exchange(waiting_, nullptr).resume(); }

 private:
  std::coroutine_handle<> waiting_;
};

}  // namespace

TEST_CASE("on_loop: a coroutine of another type awaits what a task can await", "[task]") {
  TaskLoop loop;
  const Bell bell;
  std::string seen;
  collect(loop, bell, seen);
  CHECK(seen.empty());
  when(
      loop, [&] { return bell.listener_count<"number">() > 0; }, [&] { bell.emit<"number">(4); });
  loop.run();
  CHECK(seen == "34 late");
  CHECK(bell.listeners() == 0);
}

TEST_CASE("on_loop: what the coroutine throws comes out of Loop::run()", "[task]") {
  TaskLoop loop;
  const auto fails = [&](Frame = {}) -> Owned {
    co_await tine::on_loop(loop, tine::sleep(1ms));
    throw std::runtime_error("foreign");
  };
  const Owned owned = fails();
  CHECK_THROWS_WITH(loop.run(), "foreign");
}

TEST_CASE("on_loop: a coroutine may be destroyed while it waits, also after the loop", "[task]") {
  TaskLoop loop;
  const Bell bell;
  const auto wait = [&](Frame = {}) -> Owned {
    co_await tine::on_loop(loop, tine::all(tine::once<"stop">(bell), tine::sleep(1h)));
  };
  {
    const Owned owned = wait();
    settle(loop);
    CHECK(Frame::alive() == 1);
    CHECK(bell.listeners() > 0);
  }
  CHECK(bell.listeners() == 0);
  loop.run();

  const Owned owned = wait();
  settle(loop);
  CHECK(bell.listeners() > 0);
  loop.destroy();
  CHECK(bell.listeners() == 0);
}

TEST_CASE("on_loop: what is awaited is given up when the loop goes, and the coroutine stays",
          "[task]") {
  AllFramesDestroyed frames;
  const Bell bell;
  const auto inner = [](Bell its, Frame = {}) -> tine::Task<> {
    co_await tine::all(tine::once<"stop">(its), tine::once<"number">(its).within(1h));
  };
  const auto wait = [&](tine::Loop& loop, Frame = {}) -> Owned {
    auto task = inner(bell).within(1h);
    co_await tine::on_loop(loop, std::move(task));
    FAIL("the coroutine went on");
  };
  TestLoop loop;
  const Owned owned = wait(loop);
  settle(loop);
  CHECK(bell.listeners() > 0);
  CHECK(Frame::alive() == 2);
  loop.destroy();
  CHECK(bell.listeners() == 0);
  CHECK(Frame::alive() == 1);
  bell.emit<"stop">();
  bell.emit<"number">(1);
}

TEST_CASE("task: it may await an awaiter of another library, which resumes it anywhere", "[task]") {
  TaskLoop loop;
  Gate gate;
  bool opening = false;
  const auto pass = [&](Frame = {}) -> tine::Task<int> {
    co_await gate;
    // From here on the task is the loop's again.
    const int value = co_await later(2);
    CHECK_FALSE(opening);
    co_return value;
  };
  const auto awaited = [&] { return gate.awaited(); };
  when(loop, awaited, [&] {
    opening = true;
    gate.open();
    opening = false;
  });
  CHECK(tine::run(loop, pass()) == 2);

  const auto end = [&](Frame = {}) -> tine::Task<> { co_await gate; };
  when(loop, awaited, [&] { gate.open(); });
  tine::run(loop, end());
}
