// Signals and other things that can happen to a program at any time: it is stopped, or its clock is
// set.
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "rows/exchange.hpp"
#include "support/catch.hpp"
#include "support/invariants.hpp"
#include "support/scale.hpp"
#include "support/signal_action.hpp"
#include "support/test_loop.hpp"

using namespace std::chrono_literals;
using nlohmann::json;
using Log = std::vector<std::string>;

namespace {

// A storm of signals: a SIGALRM, a SIGUSR1 and a SIGCHLD each millisecond. The handlers of the
// first two make system calls fail with EINTR. SIGCHLD keeps libuv's handler, if it has one.
class Storm {
 public:
  Storm()
      : user_(SIGUSR1, [](int) {}), alarm_(SIGALRM, [](int) {
          raise(SIGCHLD);
          raise(SIGUSR1);
        }) {
    every({0, 1000});
  }
  ~Storm() { every({0, 0}); }

 private:
  static void every(timeval time) {
    const itimerval timer{time, time};
    setitimer(ITIMER_REAL, &timer, nullptr);
  }

  SignalAction user_;
  SignalAction alarm_;
};

// Environment variables that give a program the clock of support/jumping_clock.c.
const std::map<std::string, std::optional<std::string>> jumping_clock{
    {"LD_PRELOAD", (tine::executable_dir() / "libjumping_clock.so").string()}};

}  // namespace

TEST_CASE("row 33: in a storm of signals, here or at both ends, nothing is lost or reaped twice",
          "[rows]") {
  const std::string program = GENERATE(as<std::string>{}, "echo", "stormy");
  const int count = scaled(300, 3000);
  constexpr int children = 8;
  TestLoop loop;
  Invariants invariants(loop);
  std::vector<std::unique_ptr<Exchange>> exchanges;
  std::vector<tine::ChildProcess> killed;
  std::vector<tine::ChildProcess> exited;
  {
    const Storm storm;
    for (int i = 0; i < children; ++i) {
      exchanges.push_back(std::make_unique<Exchange>(invariants.watch(loop.fork(program)), count));
      killed.push_back(invariants.watch(loop.fork("echo")));
      CHECK(killed.back().kill(SIGTERM));
      exited.push_back(invariants.watch(loop.fork("raw", {.args = {"exit", std::to_string(i)}})));
    }
    loop.run();
  }
  for (int i = 0; i < children; ++i) {
    const auto index = static_cast<std::size_t>(i);
    CHECK(exchanges[index]->in_order == count);
    CHECK((killed[index].exit_status() == tine::ExitStatus{.signal = SIGTERM}));
    CHECK((exited[index].exit_status() == tine::ExitStatus{.code = i}));
  }
  invariants.check();
}

TEST_CASE("row 34: if other code reaps all children, or ignores SIGCHLD, exit statuses are unknown",
          "[rows]") {
  const bool ignores = GENERATE(false, true);
  void (*const reap_all)(int) = [](int) {
    const int before = errno;
    while (waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    errno = before;
  };
  TestLoop loop;
  Invariants invariants(loop);
  std::vector<tine::ChildProcess> all;
  Log log;
  for (int i = 0; i < 3; ++i) {
    auto child = invariants.watch(
        loop.fork("raw", {.args = {"expect", "1\\n", "send", "2\\n", "exit", "3"}}));
    child.on<"message">([&](const json& message) { log.push_back(message.dump()); });
    all.push_back(child);
  }
  {
    // Replaces libuv's handler, if there is one. libuv sets it when the first child is started.
    const SignalAction action(SIGCHLD, ignores ? SIG_IGN : reap_all);
    for (auto& child : all) child.send(1, invariants.sent());
    // Waits until the handler has waited for all of them, because the loop could be faster.
    const auto give_up_at = std::chrono::steady_clock::now() + deadline;
    for (const auto& child : all) {
      while (::kill(*child.pid(), 0) == 0) {
        REQUIRE(std::chrono::steady_clock::now() < give_up_at);
        std::this_thread::yield();
      }
    }
    loop.run();
  }
  std::signal(SIGCHLD, SIG_DFL);
  CHECK(log == Log{"2", "2", "2"});
  for (auto& child : all) {
    CHECK((child.exit_status() == tine::ExitStatus{}));
    CHECK_FALSE(child.kill());
  }
  invariants.check();
}

TEST_CASE("row 42: time in which the parent was stopped does not count as silence of its child",
          "[rows]") {
  constexpr auto patience = 400ms;
  const auto stopped_for = std::chrono::milliseconds(scaled(600, 30'000));
  TestLoop loop;
  Invariants invariants(loop);
  auto courier =
      invariants.watch(loop.fork("courier", {.args = {std::to_string(patience.count())}}));
  bool draining = false;
  courier.on<"message">([&] {
    draining = true;
    courier.kill(SIGSTOP);
    loop->after(stopped_for, [&] { courier.kill(SIGCONT); });
  });
  loop.run();
  CHECK(draining);
  CHECK((courier.exit_status() == tine::ExitStatus{.code = 0}));
  invariants.check();
}

TEST_CASE("row 42: jumps of the clock do not count as silence of the peer", "[rows]") {
  TestLoop loop;
  Invariants invariants(loop);
  auto courier = invariants.watch(loop.fork("courier", {.args = {"2000"}, .env = jumping_clock}));
  bool draining = false;
  courier.on<"message">([&] { draining = true; });
  loop.run();
  CHECK(draining);
  CHECK((courier.exit_status() == tine::ExitStatus{.code = 0}));
  invariants.check();
}

TEST_CASE("row 42: jumps of the clock do not prevent giving up a silent peer", "[rows]") {
  TestLoop loop;
  Invariants invariants(loop);
  auto child =
      invariants.watch(loop.fork("flood", {.args = {"3000", "exit", "50"}, .env = jumping_clock}));
  child.channel().pause();
  loop.run();
  CHECK((child.exit_status() == tine::ExitStatus{.code = 0}));
  invariants.check();
}

// If there were no jumps, the two tests above would show nothing.
TEST_CASE("row 42: the clock really jumps", "[rows]") {
  TestLoop loop;
  std::vector<long> looks;
  auto child = loop.fork_script("date +%s >&3; date +%s >&3", {.env = jumping_clock});
  child.on<"message">([&](long look) { looks.push_back(look); });
  loop.run();
  REQUIRE(looks.size() == 2);
  for (const long look : looks) CHECK(std::abs(look - std::time(nullptr)) > 1800);
}
