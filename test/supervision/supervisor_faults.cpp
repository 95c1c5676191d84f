// Children that hang, are stopped, or end at once; and a supervisor that is stopped.
#include <chrono>
#include <csignal>
#include <functional>
#include <string>
#include <vector>

#include <sys/resource.h>

#include "supervision/supervised.hpp"
#include "support/invariants.hpp"

using namespace std::chrono_literals;
using nlohmann::json;
using tine::StopStep;
using GiveUp = tine::SupervisorOptions::GiveUp;

namespace {

// Returns the CPU time that this process has used.
std::chrono::microseconds cpu_time() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

// A child with a heartbeat, which is killed at once when it hangs.
tine::ChildSpec with_heartbeat(tine::ChildSpec spec, std::chrono::milliseconds deadline) {
  spec.heartbeat.every = 10ms;
  spec.heartbeat.deadline = deadline;
  spec.heartbeat.signal = SIGKILL;
  spec.restart = tine::Restart::temporary;
  return spec;
}

// A Node child that is ready, and then gets "go".
tine::ChildSpec node_that(const std::string& does, std::chrono::milliseconds deadline) {
  auto spec = with_heartbeat(node("node", {"ready", does}), deadline);
  spec.ready = tine::Ready::message("ready");
  return spec;
}

}  // namespace

TEST_CASE("supervisor: a child that ends at once is throttled, and costs next to nothing",
          "[supervision]") {
  using Clock = std::chrono::steady_clock;
  constexpr std::size_t failures = 6;
  TestLoop loop;
  Supervised supervised(loop, {.give_up = GiveUp::never});
  supervised.supervisor.add(script("crash", "exit 1"));
  supervised.supervisor.on<"restart">([&] {
    if (supervised.delays.size() == failures) supervised.supervisor.stop();
  });
  const auto start = Clock::now();
  const auto used = cpu_time();
  supervised.supervisor.start();
  loop.run();
  const std::chrono::duration<double> took = Clock::now() - start;
  const std::chrono::duration<double> cpu = cpu_time() - used;
  INFO(cpu.count() << " s of CPU time in " << took.count() << " s");
  REQUIRE(supervised.delays.size() == failures);
  CHECK(supervised.delays.back() >= 1s);
  CHECK(took >= 1500ms);
  CHECK(cpu * 20 < took);
}

TEST_CASE("heartbeat: children that answer, or have nothing to say, are left alone",
          "[supervision]") {
  TestLoop loop;
  Supervised supervised(loop);
  supervised.supervisor.add(with_heartbeat(program("tine"), 300ms));
  auto node = node_that("nothing", 300ms);
  supervised.supervisor.add(node);
  supervised.supervisor.start();
  supervised.at("ready node", 1, [&] { loop->after(1s, [&] { supervised.supervisor.stop(); }); });
  loop.run();
  CHECK(std::count(supervised.log.begin(), supervised.log.end(), "hung tine") == 0);
  CHECK(std::count(supervised.log.begin(), supervised.log.end(), "hung node") == 0);
}

TEST_CASE("heartbeat: a child that is stopped hangs", "[supervision]") {
  TestLoop loop;
  Supervised supervised(loop);
  supervised.supervisor.add(with_heartbeat(program("tine"), 100ms));
  supervised.supervisor.start();
  supervised.at("ready tine", 1, [&] { supervised.supervisor.child("tine").kill(SIGSTOP); });
  supervised.supervisor.on<"hung">(
      [&] { CHECK(supervised.supervisor.child("tine").kill(0)); });  // before it is killed
  loop.run();
  CHECK(supervised.log ==
        Log{"start tine", "ready tine", "hung tine", "exit tine signal 9 (Killed)", "close"});
}

TEST_CASE("heartbeat: a child that waits for ever hangs; it has failed, and is started again",
          "[supervision]") {
  TestLoop loop;
  Supervised supervised(loop);
  auto spec = node_that("block", 100ms);
  spec.heartbeat.signal = SIGABRT;
  spec.fork.limits = {{RLIMIT_CORE, 0, 0}};
  spec.restart = tine::Restart::transient;
  supervised.supervisor.add(spec);
  supervised.supervisor.on<"start">(
      [&](const std::string&, const tine::ChildProcess& child) { child.send("go"); });
  supervised.supervisor.start();
  supervised.at("restart node", 1, [&] { supervised.supervisor.stop(); });
  loop.run();
  CHECK(supervised.log == Log{"start node", "ready node", "hung node",
                              "exit node signal 6 (Aborted)", "restart node", "close"});
  CHECK_THAT(supervised.reasons.at(0),
             ContainsSubstring("it did not answer its heartbeat within 100 ms, and process") &&
                 ContainsSubstring("ended with signal 6 (Aborted)"));
}

TEST_CASE("heartbeat: one that computes is busy, unless that does not count", "[supervision]") {
  const bool counts = GENERATE(true, false);
  TestLoop loop;
  Supervised supervised(loop);
  auto spec = node_that("spin", 300ms);
  spec.heartbeat.busy = counts;
  supervised.supervisor.add(spec);
  supervised.supervisor.start();
  supervised.at("ready node", 1, [&] {
    supervised.supervisor.child("node").send("go");
    if (counts) loop->after(1s, [&] { supervised.supervisor.kill(); });
  });
  loop.run();
  const auto hung = std::count(supervised.log.begin(), supervised.log.end(), "hung node");
  CHECK(hung == (counts ? 0 : 1));
  CHECK(supervised.log.at(supervised.log.size() - 2) == "exit node signal 9 (Killed)");
}

TEST_CASE("heartbeat: a child that cannot be heard is not judged", "[supervision]") {
  const bool paused = GENERATE(true, false);
  TestLoop loop;
  Supervised supervised(loop);
  supervised.supervisor.add(with_heartbeat(script("mute", "exec tail -f /dev/null"), 50ms));
  supervised.supervisor.on<"ready">([&](const std::string&, const tine::ChildProcess& child) {
    paused ? child.channel().pause() : child.disconnect();
    loop->after(500ms, [&] { supervised.supervisor.kill(); });
  });
  supervised.supervisor.start();
  loop.run();
  CHECK(std::count(supervised.log.begin(), supervised.log.end(), "hung mute") == 0);
}

TEST_CASE("heartbeat: one that hangs and ignores its signal is killed five seconds later",
          "[supervision]") {
  TestLoop loop;
  Supervised supervised(loop);
  auto spec = with_heartbeat(script("deaf", "trap '' ABRT; exec tail -f /dev/null"), 50ms);
  spec.heartbeat.signal = SIGABRT;
  supervised.supervisor.add(spec);
  supervised.supervisor.start();
  loop.run();
  CHECK(supervised.log ==
        Log{"start deaf", "ready deaf", "hung deaf", "exit deaf signal 9 (Killed)", "close"});
}

TEST_CASE("heartbeat: a supervisor that was stopped does not find its child hung",
          "[supervision]") {
  TestLoop loop;
  auto supervisor =
      tine::fork(loop, test_program("supervise"), {.args = {test_program("echo").string()}});
  const bool child_is_stopped_too = GENERATE(false, true);
  int child = 0;
  std::vector<json> messages;
  const auto go_on = [&] { supervisor.kill(SIGCONT), supervisor.send("awake"); };
  supervisor.on<"message">([&](const json& message) {
    if (message == "awake") {
      // The child answers only now: when this process goes on, its deadline has long been over.
      if (child_is_stopped_too) ::kill(child, SIGCONT);
      loop->after(500ms, [&] { supervisor.disconnect(); });
    } else if (child == 0) {
      child = message.get<int>();
      if (child_is_stopped_too) ::kill(child, SIGSTOP);
      loop->after(50ms, [&] {
        supervisor.kill(SIGSTOP);
        loop->after(3s, go_on);
      });
    } else {
      messages.push_back(message);
    }
  });
  loop.run();
  CHECK(messages.empty());
  CHECK(supervisor.exit_code() == 0);
}
