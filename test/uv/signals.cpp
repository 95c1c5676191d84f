// Signals as events of a loop: real signals, sent to this process.
#include <atomic>
#include <csignal>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/catch.hpp"
#include "support/signal_action.hpp"
#include "support/test_loop.hpp"

namespace {

volatile std::sig_atomic_t handled = 0;

void count(int) { handled = handled + 1; }

struct sigaction action_of(int signal) {
  struct sigaction action {};
  sigaction(signal, nullptr, &action);
  return action;
}

}  // namespace

TEST_CASE("signal: each signal calls the listener once, on a later turn", "[signal]") {
  TestLoop loop;
  std::vector<int> numbers;
  auto listener = tine::on_signal(loop, SIGUSR1, [&](const tine::Signal& signal) {
    CHECK_FALSE(signal.from_kernel);
    numbers.push_back(signal.number);
    if (numbers.size() == 3) loop->stop();
  });
  listener.ref();
  loop->post([&] {
    for (int i = 0; i < 3; ++i) raise(SIGUSR1);
    CHECK(numbers.empty());
  });
  loop.run();
  CHECK(numbers == std::vector{SIGUSR1, SIGUSR1, SIGUSR1});
  listener.cancel();
}

TEST_CASE("signal: a signal that comes before the loop runs waits for it", "[signal]") {
  TestLoop loop;
  ExpectCalls called(1);
  tine::SignalListener listener = tine::on_signal(loop, SIGUSR1, [&](tine::Signal) {
    called();
    listener.cancel();
  });
  listener.ref();
  raise(SIGUSR1);
  CHECK(called.count() == 0);
  loop.run();
}

TEST_CASE("signal: from_kernel distinguishes signals of the kernel and of processes", "[signal]") {
  TestLoop loop;
  ExpectCalls called(1);
  tine::once_signal(loop, SIGALRM, [&](const tine::Signal& signal) {
    called();
#ifdef __linux__
    CHECK(signal.from_kernel);
#else
    CHECK_FALSE(signal.from_kernel);
#endif
  }).ref();
  const itimerval soonest{.it_interval = {}, .it_value = {.tv_sec = 0, .tv_usec = 1}};
  setitimer(ITIMER_REAL, &soonest, nullptr);
  loop.run();
}

TEST_CASE("signal: a listener keeps the loop running only between ref() and unref()", "[signal]") {
  TestLoop loop;
  auto listener = tine::on_signal(loop, SIGUSR1, [] {});
  loop.run();
  listener.ref();
  bool ended = false;
  loop->after(std::chrono::milliseconds(1), [&] {
    ended = true;
    listener.unref();
  });
  loop.run();
  CHECK(ended);
  listener.cancel();
}

TEST_CASE("signal: a handle may be dropped, and the listener may own anything", "[signal]") {
  TestLoop loop;
  ExpectCalls called(1);
  tine::once_signal(loop, SIGUSR1, [&called, owned = std::make_unique<int>(1)] {
    CHECK(*owned == 1);
    called();
  }).ref();
  raise(SIGUSR1);
  loop.run();
}

TEST_CASE("signal: all listeners are called, except those that another one cancels", "[signal]") {
  TestLoop loop;
  std::string calls;
  tine::SignalListener second;
  auto first = tine::on_signal(loop, SIGUSR1, [&] {
    calls += "first ";
    second.cancel();
  });
  second = tine::on_signal(loop, SIGUSR1, [&] { calls += "second "; });
  auto other = tine::on_signal(loop, SIGUSR2, [&] { calls += "other "; });
  auto last = tine::on_signal(loop, SIGUSR1, [&] {
    calls += "last";
    loop->stop();
  });
  last.ref();
  raise(SIGUSR1);
  loop.run();
  CHECK(calls == "first last");
  for (auto& listener : {&first, &other, &last}) listener->cancel();
}

TEST_CASE("signal: a cancelled listener is not called and drops its captures", "[signal]") {
  TestLoop loop;
  const auto captured = std::make_shared<int>();
  auto listener = tine::on_signal(loop, SIGUSR1, [captured] { FAIL("it was called"); });
  raise(SIGUSR1);
  listener.cancel();
  listener.cancel();
  listener.ref();
  CHECK(captured.use_count() == 1);
  loop.run();
}

TEST_CASE("signal: after once_signal(), the next signal does what it did before", "[signal]") {
  const SignalAction own(SIGUSR1, count);
  handled = 0;
  TestLoop loop;
  ExpectCalls called(1);
  tine::once_signal(loop, SIGUSR1, [&] {
    called();
    raise(SIGUSR1);
    CHECK(handled == 1);
  }).ref();
  raise(SIGUSR1);
  CHECK(handled == 0);
  loop.run();
}

TEST_CASE("signal: when the last listener ends, the earlier action is restored", "[signal]") {
  const auto before = GENERATE(SIG_DFL, SIG_IGN, &count);
  const SignalAction own(SIGUSR1, before);
  {
    TestLoop loop;
    auto cancelled = tine::on_signal(loop, SIGUSR1, [] {});
    tine::on_signal(loop, SIGUSR1, [] {});
    cancelled.cancel();
    CHECK(action_of(SIGUSR1).sa_handler != before);
    loop.destroy();
  }
  CHECK(action_of(SIGUSR1).sa_handler == before);
}

TEST_CASE("signal: a handle that outlives its loop is inert", "[signal]") {
  const SignalAction ignored(SIGUSR1, SIG_IGN);
  tine::SignalListener listener;
  CHECK_FALSE(listener);
  listener.cancel();
  listener.ref();
  {
    TestLoop loop;
    listener = tine::on_signal(loop, SIGUSR1, [] { FAIL("it was called"); });
    CHECK(listener);
    raise(SIGUSR1);
    loop.destroy();
  }
  raise(SIGUSR1);
  listener.unref();
  listener.cancel();
}

TEST_CASE("signal: run() throws what a listener throws, and the next run() does the rest",
          "[signal]") {
  TestLoop loop;
  int calls = 0;
  tine::SignalListener listener = tine::on_signal(loop, SIGUSR1, [&] {
    if (++calls == 1) throw std::runtime_error("first");
    listener.cancel();
  });
  listener.ref();
  for (int i = 0; i < 2; ++i) raise(SIGUSR1);
  CHECK_THROWS_WITH(loop.run(), "first");
  CHECK(calls == 1);
  loop.run();
  CHECK(calls == 2);
}

TEST_CASE("signal: a signal that cannot have a listener is refused, and its action stays",
          "[signal]") {
  TestLoop loop;
  const auto refused = [&](int signal) {
    try {
      tine::on_signal(loop, signal, [] {});
    } catch (const tine::Error& error) {
      return error.code();
    }
    return std::error_code();
  };
  for (const int signal : {-1, 0, 1000}) {
    CHECK(refused(signal) == tine::Errc::unknown_signal);
  }
  for (const int signal : {SIGKILL, SIGSTOP, SIGCHLD, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) {
    const auto before = action_of(signal).sa_handler;
    CHECK(refused(signal) == tine::Errc::invalid_argument);
    CHECK(action_of(signal).sa_handler == before);
  }
}

TEST_CASE("signal: children start with the default action", "[signal]") {
  TestLoop loop;
  auto listener = tine::on_signal(loop, SIGUSR1, [] { FAIL("it was called"); });
  auto child = loop.fork_script("kill -s USR1 $$");
  loop.run();
  CHECK(child.signal_code() == SIGUSR1);
  listener.cancel();
}

TEST_CASE("signal: a fork() of the process that runs the loop gets its own signals", "[signal]") {
  TestLoop loop;
  int calls = 0;
  auto listener = tine::on_signal(loop, SIGUSR1, [&] {
    ++calls;
    loop->stop();
  });
  listener.ref();
  const pid_t forked = ::fork();
  if (forked == 0) {
    alarm(static_cast<unsigned>(deadline.count()));
    loop->post([] { raise(SIGUSR1); });
    loop->run();
    _exit(calls == 1 ? 0 : 1);
  }
  int status = -1;
  CHECK(waitpid(forked, &status, 0) == forked);
  CHECK(status == 0);
  listener.unref();
  loop.run();
  CHECK(calls == 0);
  listener.cancel();
}

TEST_CASE("signal: it reaches the loops of all threads", "[signal]") {
  TestLoop loop;
  std::atomic<int> calls = 0;
  const auto listen = [&calls](tine::Loop& its) {
    tine::once_signal(its, SIGUSR1, [&calls] { ++calls; }).ref();
  };
  listen(loop);
  std::thread other([&] {
    tine::Loop own;
    listen(own);
    loop->post([] { kill(getpid(), SIGUSR1); });
    own.run();
  });
  loop.run();
  other.join();
  CHECK(calls == 2);
}

TEST_CASE("signal: listeners may come and go while signals arrive at other threads", "[signal]") {
  const SignalAction ignored(SIGUSR1, SIG_IGN);
  TestLoop loop;
  std::atomic<bool> ending = false;
  std::thread sender([&ending] {
    while (!ending) raise(SIGUSR1);  // on this thread
  });
  int calls = 0;
  for (int i = 0; i < 1000; ++i) {
    tine::once_signal(loop, SIGUSR1, [&] { ++calls; }).ref();
    tine::on_signal(loop, SIGUSR1, [] {}).cancel();
    if (i % 10 == 0) loop.run();
  }
  loop.run();
  ending = true;
  sender.join();
  CHECK(calls == 1000);
}
