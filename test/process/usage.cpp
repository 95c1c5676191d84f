// What a running child uses.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include <sys/wait.h>

#include "process/access.hpp"
#include "support/catch.hpp"
#include "support/invariants.hpp"
#include "support/test_loop.hpp"

using namespace std::chrono_literals;
using tine::process::Access;
using Clock = std::chrono::steady_clock;

namespace {

// Returns the shortest of many times that a function takes.
template <class F>
std::chrono::nanoseconds shortest(F function) {
  std::chrono::nanoseconds least = 1h;
  for (int i = 0; i < 1000; ++i) {
    const auto start = Clock::now();
    function();
    least = std::min<std::chrono::nanoseconds>(least, Clock::now() - start);
  }
  return least;
}

}  // namespace

TEST_CASE("current usage: a child that runs tells what it uses", "[process]") {
  TestLoop loop;
  auto child = loop.fork("echo");
  child.on<"message">([&] {
    const auto usage = child.current_usage();
    REQUIRE(usage);
    CHECK(usage->memory > 100'000);
    CHECK(usage->memory < 10'000 * mebibyte);
    CHECK(usage->threads >= 1);
    CHECK(usage->descriptors > 4);
    const auto memory = Access::memory_of(child);
    REQUIRE(memory);
    CHECK(*memory > 100'000);
    CHECK(Access::cpu_time_of(child) > 10us);
    child.disconnect();
  });
  child.send(1);
  loop.run();
  CHECK_FALSE(child.current_usage());
}

TEST_CASE("current usage: it grows with what the child does", "[process]") {
  TestLoop loop;
  auto child = loop.fork_script(
      "echo 1 >&3; read -r _ <&3; exec 7</dev/null 8</dev/null; "
      "x=xxxxxxxxxxxxxxxx; i=0; while [ $i -lt 18 ]; do x=$x$x; i=$((i+1)); done; "
      "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; echo 2 >&3; read -r _ <&3");
  tine::CurrentUsage before;
  child.on<"message">([&](int number) {
    const auto usage = child.current_usage();
    REQUIRE(usage);
    if (number == 2) {
      CHECK(usage->user_time + usage->system_time > before.user_time + before.system_time);
      CHECK(usage->memory > before.memory + 3 * mebibyte);
      CHECK(usage->descriptors == before.descriptors.value() + 2);
      return child.disconnect();
    }
    before = *usage;
    child.send(number);
  });
  loop.run();
}

TEST_CASE("current usage: a dead child has none, even if nobody has noticed its end", "[process]") {
  TestLoop loop;
  auto child = loop.fork_script("exit 0");
  siginfo_t exited;
  const auto id = static_cast<id_t>(child.pid().value());
  REQUIRE(waitid(P_PID, id, &exited, WEXITED | WNOWAIT) == 0);
  CHECK_FALSE(child.current_usage());
  CHECK_FALSE(Access::memory_of(child));
  CHECK_FALSE(Access::cpu_time_of(child));
  loop.run();
  CHECK_FALSE(Access::memory_of(child));
  CHECK_FALSE(tine::ChildProcess().current_usage());
  CHECK_FALSE(Access::memory_of({}));
  CHECK_FALSE(Access::cpu_time_of({}));
}

TEST_CASE("current usage: a child that others have waited for has none", "[process]") {
  TestLoop loop;
  auto child = loop.fork_script("exit 0");
  REQUIRE(waitpid(child.pid().value(), nullptr, 0) == child.pid());
  CHECK_FALSE(child.current_usage());
  CHECK_FALSE(Access::cpu_time_of(child));
  loop.run();
}

TEST_CASE("current usage: it is cheap", "[process]") {
  TestLoop loop;
  auto child = loop.fork("echo");
  child.on<"message">([&] {
    const auto memory = shortest([&] { static_cast<void>(Access::memory_of(child)); });
    const auto cpu_time = shortest([&] { static_cast<void>(Access::cpu_time_of(child)); });
    const auto all = shortest([&] { static_cast<void>(child.current_usage()); });
    INFO("memory " << memory.count() << " ns, CPU time " << cpu_time.count() << " ns, all "
                   << all.count() << " ns");
    if (!sanitized) {
      CHECK(memory < 20us);
      CHECK(cpu_time < 10us);
      CHECK(all < 200us);
    }
    child.disconnect();
  });
  child.send(1);
  loop.run();
}
