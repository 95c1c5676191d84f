// Tasks that are destroyed before their end.
#include <csignal>
#include <stop_token>
#include <thread>
#include <vector>

#include <pthread.h>

#include "task/awaits.hpp"

using namespace std::chrono_literals;

namespace {

tine::Task<> wait_for(Bell bell, Frame = {}) { co_await tine::once<"stop">(bell); }

// Waits until a child that was killed with its loop is no zombie any more.
void await_reaped(const tine::ChildProcess& child) {
  const int pid = child.pid().value();
  const auto give_up = std::chrono::steady_clock::now() + deadline;
  while (kill(pid, 0) == 0 && std::chrono::steady_clock::now() < give_up) std::this_thread::yield();
  CHECK(kill(pid, 0) < 0);
}

// Notes its number when it is destroyed.
class Note {
 public:
  Note(std::vector<int>& order, int number) : order_(&order), number_(number) {}
  Note(const Note&) = delete;
  Note& operator=(const Note&) = delete;
  ~Note() { order_->push_back(number_); }

 private:
  std::vector<int>* order_;
  int number_;
};

tine::Task<> hold(std::vector<int>& order, int number, Bell bell, Frame = {}) {
  const Note note(order, number);
  co_await wait_for(bell);
}

}  // namespace

TEST_CASE("destroying: ~Loop in each await destroys its frames, and takes its listeners out",
          "[task]") {
  for (const Await& await : all_awaits()) {
    INFO(await.name);
    TaskLoop loop;
    Silence silence(loop);
    tine::start(loop, await.task(silence, Frame()));
    settle(loop);
    CHECK(Frame::alive() > 0);
    loop.destroy();
    await_reaped(silence.child);
    CHECK(Frame::alive() == 0);
    CHECK(silence.bell.listeners() == 0);
  }
}

TEST_CASE("destroying: a task that others wait with is destroyed in each await", "[task]") {
  for (const Await& await : all_awaits()) {
    INFO(await.name);
    TaskLoop loop;
    Silence silence(loop);
    const auto opens = [&](Frame = {}) -> tine::Task<> {
      auto scope = co_await tine::Scope::open();
      scope.start(await.task(silence, Frame()));
      co_await turns(loop);
      CHECK(Frame::alive() > 1);
    };
    tine::run(loop, opens());
    CHECK(Frame::alive() == 0);
    CHECK(silence.bell.listeners() == 0);
    silence.child.disconnect();
    loop.run();
  }
}

TEST_CASE("destroying: ~Loop destroys the last task first", "[task]") {
  std::vector<int> order;
  const Bell bell;
  {
    TaskLoop loop;
    for (int i = 0; i < 3; ++i) tine::start(loop, hold(order, i, bell));
    settle(loop);
    CHECK(bell.listener_count<"stop">() == 3);
    loop.destroy();
  }
  CHECK(order == std::vector{2, 1, 0});
}

TEST_CASE("destroying: ~Loop destroys tasks that have not begun", "[task]") {
  std::vector<int> order;
  TaskLoop loop;
  tine::start(loop, hold(order, 1, Bell()));
  tine::start(loop, hold(order, 2, Bell()).within(1h));
  CHECK(Frame::alive() == 2);
  loop.destroy();
  CHECK(order.empty());
}

TEST_CASE("destroying: ~Loop destroys a task whose event has come", "[task]") {
  TaskLoop loop;
  const Bell bell;
  tine::start(loop, wait_for(bell));
  settle(loop);
  loop->post([&] {
    bell.emit<"stop">();
    loop->stop();
    throw std::runtime_error("before the task goes on");
  });
  CHECK_THROWS(loop.run());
  CHECK(Frame::alive() == 1);
  loop.destroy();
}

TEST_CASE("destroying: ~Loop destroys a task whose stop is on its way", "[task]") {
  TaskLoop loop;
  const Bell bell;
  std::stop_source stop;
  tine::start(loop, wait_for(bell), stop.get_token());
  settle(loop);
  CHECK(bell.listener_count<"stop">() == 1);
  stop.request_stop();
  loop.destroy();
}

TEST_CASE("destroying: a destructor in a task may use what is on the loop, and start a task",
          "[task]") {
  class Starter {
   public:
    Starter(tine::Loop& loop, tine::ChildProcess child) : loop_(loop), child_(std::move(child)) {}
    Starter(const Starter&) = delete;
    Starter& operator=(const Starter&) = delete;
    ~Starter() {
      child_.send("too late");
      child_.kill();
      tine::start(loop_, wait_for(Bell()).within(1h));
    }

   private:
    tine::Loop& loop_;
    tine::ChildProcess child_;
  };
  TaskLoop loop;
  auto child = loop.fork("echo", {.kill_with_loop = true});
  tine::start(loop, [&]() -> tine::Task<> {
    const Starter starter(loop, child);
    co_await tine::sleep(1h);
  });
  // A capture of a timer is destroyed at another time than a frame.
  loop->after(1h, [starter = std::make_shared<Starter>(loop, child)] {});
  settle(loop);
  loop.destroy();
  await_reaped(child);
}

TEST_CASE("destroying: a posted function may start a task in its destructor", "[task]") {
  class Starter {
   public:
    explicit Starter(tine::Loop& loop) : loop_(loop) {}
    Starter(const Starter&) = delete;
    Starter& operator=(const Starter&) = delete;
    ~Starter() { tine::start(loop_, wait_for(Bell()).within(1h)); }

   private:
    tine::Loop& loop_;
  };
  TaskLoop loop;
  loop->post([starter = std::make_shared<Starter>(loop)] {});
  loop.destroy();
}

TEST_CASE("destroying: a loop that was never run destroys its tasks", "[task]") {
  TaskLoop loop;
  tine::start(loop, wait_for(Bell()));
  loop.destroy();
}

// UBSan of g++ takes what unwinds the thread for a null reference.
#if defined(__GLIBC__) && (defined(__clang__) || !defined(__SANITIZE_ADDRESS__))
TEST_CASE("destroying: a thread that ends in a task takes all tasks with it", "[task]") {
  AllFramesDestroyed frames;
  std::vector<int> order;
  struct Arguments {
    std::vector<int>* order;
  } arguments{&order};
  pthread_t thread;
  const auto body = [](void* given) -> void* {
    auto& notes = *static_cast<Arguments*>(given)->order;
    tine::Loop loop;
    tine::start(loop, hold(notes, 1, Bell()));
    const auto inner = [](std::vector<int>& its, Frame = {}) -> tine::Task<> {
      const Note note(its, 2);
      co_await tine::sleep(2ms);
      pthread_exit(nullptr);
    };
    const auto outer = [&](Frame = {}) -> tine::Task<> {
      const Note note(notes, 3);
      co_await inner(notes);
    };
    tine::run(loop, outer());
    return nullptr;
  };
  REQUIRE(pthread_create(&thread, nullptr, body, &arguments) == 0);
  REQUIRE(pthread_join(thread, nullptr) == 0);
  CHECK(order == std::vector{2, 3, 1});
}
#endif
