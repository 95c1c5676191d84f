// What the tests of tasks share.
#pragma once

#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tine/on_loop.hpp>
#include <tine/once.hpp>
#include <tine/receive.hpp>
#include <tine/scope.hpp>
#include <tine/task.hpp>

#include "support/catch.hpp"
#include "support/test_loop.hpp"

// Counts frames. A task of a test takes one by value, so that it lives in the frame:
//
//   tine::Task<> wait(Frame = {});
//
// Not an aggregate: see tine/task.hpp.
class Frame {
 public:
  Frame() { ++alive_; }
  Frame(const Frame&) { ++alive_; }
  Frame& operator=(const Frame&) = default;
  ~Frame() { --alive_; }

  static int alive() { return alive_; }

 private:
  static inline int alive_ = 0;
};

// Made before the loop of a test. Fails the test if a frame is left when the loop is gone.
class AllFramesDestroyed {
 public:
  AllFramesDestroyed() { CHECK(Frame::alive() == 0); }
  AllFramesDestroyed(const AllFramesDestroyed&) = delete;
  AllFramesDestroyed& operator=(const AllFramesDestroyed&) = delete;
  ~AllFramesDestroyed() { CHECK(Frame::alive() == 0); }
};

// A loop that is made before its frames are counted.
class TaskLoop : private AllFramesDestroyed, public TestLoop {};

// An emitter that needs no loop.
class Bell : public tine::Emitter<tine::Event<"ring", int, std::string>, tine::Event<"number", int>,
                                  tine::Event<"stop">, tine::Event<"bytes", std::string_view>,
                                  tine::Event<"error", tine::Error>> {
 public:
  Bell() : Bell(std::make_shared<Listeners>()) {}

  template <tine::EventName Name, class... Args>
  void emit(Args... args) const {
    listeners_->template notify<Name>(std::move(args)...);
  }
  // How many listeners there are for any event.
  std::size_t listeners() const {
    return listener_count<"ring">() + listener_count<"number">() + listener_count<"stop">() +
           listener_count<"bytes">() + listener_count<"error">();
  }

 private:
  explicit Bell(std::shared_ptr<Listeners> listeners)
      : Emitter(listeners), listeners_(std::move(listeners)) {}

  std::shared_ptr<Listeners> listeners_;
};

// Goes on after everything that is due now.
inline tine::Task<> turn(tine::Loop& loop) {
  const Bell bell;
  loop.post([bell] { bell.emit<"stop">(); });
  co_await tine::once<"stop">(bell);
}

// Goes on when everything has run that was due, and what follows from it without an event. No await
// of the tests needs more turns to begin.
inline tine::Task<> turns(tine::Loop& loop) {
  constexpr int enough = 20;
  for (int i = 0; i < enough; ++i) co_await turn(loop);
}

// Lets all that run, and leaves the rest on the loop.
inline void settle(TestLoop& loop) { tine::run(loop, turns(loop)); }

// Calls a function as soon as a condition holds, for which it looks in each turn.
template <class Condition, class F>
void when(tine::Loop& loop, Condition condition, F function) {
  loop.post([&loop, condition, function] {
    if (condition()) return function();
    when(loop, condition, function);
  });
}

// Returns whether a function ends its process, as a failed assertion does. Runs it in a process of
// its own.
template <class F>
bool aborts(F function) {
  const pid_t pid = fork();
  if (pid == 0) {
    std::signal(SIGABRT, SIG_DFL);
    dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
    try {
      function();
    } catch (...) {
    }
    _exit(0);
  }
  int status = 0;
  return waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

// Runs the loop until the task has ended. Returns the code of the tine::Error that it throws, or
// none.
template <class T>
std::error_code error_of(tine::Loop& loop, tine::Task<T> task, std::stop_token stop = {}) {
  try {
    static_cast<void>(tine::run(loop, std::move(task), std::move(stop)));
  } catch (const tine::Error& error) {
    return error.code();
  }
  return {};
}
