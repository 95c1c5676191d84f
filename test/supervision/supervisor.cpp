// Real children under a supervisor.
#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include <unistd.h>

#include "spawn/subprocess.hpp"
#include "supervision/supervised.hpp"

using namespace std::chrono_literals;
using nlohmann::json;
using tine::Ready;
using tine::Restart;
using tine::StopStep;
using tine::Strategy;
using GiveUp = tine::SupervisorOptions::GiveUp;

namespace {

const tine::Backoff quick{.first = 1ms, .jitter = 0};

tine::ChildSpec quickly(tine::ChildSpec spec) {
  spec.backoff = quick;
  return spec;
}

}  // namespace

TEST_CASE("supervisor: children start in order and stop in reverse", "[supervision]") {
  TestLoop loop;
  Supervised supervised(loop, {.strategy = Strategy::rest_for_one});
  tine::ChildSpec store = node("store", {"ready"});
  store.ready = Ready::message("ready");
  supervised.supervisor.add(store);
  supervised.supervisor.add(program("web"));
  supervised.supervisor.start();
  CHECK_FALSE(supervised.supervisor.child("web"));
  supervised.at("ready web", 1, [&] {
    CHECK(supervised.supervisor.child("web").connected());
    supervised.supervisor.stop();
  });
  loop.run();
  CHECK(supervised.log == Log{"start store", "ready store", "start web", "ready web",
                              "exit web code 0", "exit store code 0", "close"});
  CHECK(supervised.supervisor.listener_count<"close">() == 0);
}

TEST_CASE("supervisor: the handle of \"start\" gets the messages of its process", "[supervision]") {
  TestLoop loop;
  Supervised supervised(loop);
  supervised.supervisor.add(quickly(script("talker", "echo 1 >&3; echo 2 >&3; exit 4")));
  supervised.supervisor.start();
  std::vector<json> messages;
  supervised.supervisor.on<"start">([&](const std::string&, const tine::ChildProcess& child) {
    child.on<"message">([&](const json& message) { messages.push_back(message); });
  });
  supervised.at("exit talker code 4", 2, [&] { supervised.supervisor.stop(); });
  loop.run();
  CHECK(messages == std::vector<json>{1, 2, 1, 2});
}

TEST_CASE("supervisor: a child that ends is started again, with another process", "[supervision]") {
  TestLoop loop;
  Supervised supervised(loop);
  supervised.supervisor.add(quickly(node("node", {})));
  supervised.supervisor.add(program("other"));
  std::vector<int> pids;
  supervised.supervisor.on<"start">([&](const std::string& name, const tine::ChildProcess& child) {
    if (name == "node") pids.push_back(child.pid().value());
    if (pids.size() == 2) return supervised.supervisor.stop();
    if (name == "node") child.send("exit");
  });
  supervised.supervisor.start();
  loop.run();
  REQUIRE(pids.size() == 2);
  CHECK(pids[0] != pids[1]);
  CHECK(supervised.delays == std::vector{1ms});
  CHECK(supervised.reasons == Log{"process " + std::to_string(pids[0]) + " ended with code 3"});
  CHECK(std::count(supervised.log.begin(), supervised.log.end(), "start other") == 1);
}

TEST_CASE("supervisor: rest_for_one restarts those behind", "[supervision]") {
  TestLoop loop;
  Supervised supervised(loop, {.strategy = Strategy::rest_for_one});
  for (const std::string name : {"a", "b", "c"}) supervised.supervisor.add(quickly(program(name)));
  supervised.supervisor.start();
  supervised.at("ready c", 1, [&] { supervised.supervisor.child("b").kill(SIGKILL); });
  supervised.at("ready c", 2, [&] { supervised.supervisor.stop(); });
  loop.run();
  CHECK(supervised.log == Log{"start a", "ready a", "start b", "ready b", "start c", "ready c",
                              "exit b signal 9 (Killed)", "restart b", "exit c code 0", "start b",
                              "ready b", "start c", "ready c", "exit c code 0", "exit b code 0",
                              "exit a code 0", "close"});
}

TEST_CASE("supervisor: a child that cannot be started is tried again, then given up",
          "[supervision]") {
  const GiveUp give_up = GENERATE(GiveUp::all, GiveUp::child);
  TestLoop loop;
  Supervised supervised(loop, {.restarts = 1, .give_up = give_up, .starting = 1});
  supervised.listen_for_failures();
  supervised.supervisor.add(program("other"));
  tine::ChildSpec missing = quickly(program("missing"));
  missing.module = "/nonexistent";
  supervised.supervisor.add(missing);
  supervised.supervisor.start();
  if (give_up == GiveUp::child) {
    supervised.supervisor.on<"failed">([&] { supervised.supervisor.stop(); });
  }
  loop.run();
  CHECK(supervised.log == Log{"start other", "ready other", "restart missing", "failed",
                              "exit other code 0", "close"});
  REQUIRE(supervised.reasons.size() == 2);
  const std::string why = "spawn /nonexistent: exec: No such file or directory";
  CHECK(supervised.reasons[0] == why);
  CHECK_THAT(supervised.reasons[1],
             StartsWith("child \"missing\" has failed 2 times within 60000 ms; at last: " + why));
}

TEST_CASE("supervisor: without a listener for \"failed\", run() throws when all are stopped",
          "[supervision]") {
  TestLoop loop;
  Supervised supervised(loop, {.restarts = 0});
  supervised.supervisor.add(program("other"));
  supervised.supervisor.add(script("failing", "exit 3"));
  supervised.supervisor.start();
  CHECK_THROWS_WITH(loop.run(), ContainsSubstring("child \"failing\" has failed once") &&
                                    ContainsSubstring("ended with code 3"));
  CHECK(supervised.log.back() == "exit other code 0");
  loop.run();
}

TEST_CASE("supervisor: without a listener for \"failed\", run() throws at once for one child",
          "[supervision]") {
  TestLoop loop;
  Supervised supervised(loop, {.restarts = 0, .give_up = GiveUp::child});
  supervised.supervisor.add(program("other"));
  supervised.supervisor.add(script("failing", "exit 3"));
  supervised.supervisor.start();
  CHECK_THROWS_WITH(loop.run(), ContainsSubstring("child \"failing\" has failed once"));
  CHECK(supervised.supervisor.child("other").kill(0));
  supervised.supervisor.stop();
  loop.run();
}

TEST_CASE("supervisor: when all have ended for good, \"close\" comes", "[supervision]") {
  TestLoop loop;
  Supervised supervised(loop);
  tine::ChildSpec once = script("once", "exit 0");
  once.restart = Restart::transient;
  tine::ChildSpec never = script("never", "exit 1");
  never.restart = Restart::temporary;
  supervised.supervisor.add(once);
  supervised.supervisor.add(never);
  supervised.supervisor.start();
  loop.run();
  CHECK(supervised.delays.empty());
}

TEST_CASE("supervisor: a child that is not ready in time is stopped, and has failed",
          "[supervision]") {
  TestLoop loop;
  Supervised supervised(loop, {.restarts = 0});
  supervised.listen_for_failures();
  tine::ChildSpec late = script("late", "trap '' TERM; while :; do read -r _ < /dev/zero; done");
  late.ready = Ready::message("ready");
  late.ready_deadline = 50ms;
  late.stop = {StopStep::signal(SIGTERM, 1ms)};
  supervised.supervisor.add(late);
  supervised.supervisor.start();
  loop.run();
  CHECK(supervised.log == Log{"start late", "exit late signal 9 (Killed)", "failed", "close"});
  CHECK_THAT(supervised.reasons.at(0),
             ContainsSubstring("it was not ready within 50 ms, and process") &&
                 ContainsSubstring("ended with signal 9 (Killed)"));
}

TEST_CASE("supervisor: a child that refuses its request is stopped, and has failed",
          "[supervision]") {
  TestLoop loop;
  Supervised supervised(loop, {.restarts = 0});
  supervised.listen_for_failures();
  tine::ChildSpec refuses = program("refuses", "requests");
  refuses.ready = Ready::request("no such method");
  supervised.supervisor.add(refuses);
  supervised.supervisor.start();
  loop.run();
  CHECK(supervised.log.back() == "close");
  CHECK_THAT(supervised.reasons.at(0), ContainsSubstring("it was not ready: "));
}

TEST_CASE("supervisor: a restart by hand is no failure", "[supervision]") {
  TestLoop loop;
  Supervised supervised(loop, {.restarts = 0});
  supervised.supervisor.add(program("web"));
  CHECK(supervised.supervisor.restart("web"));  // does nothing yet
  CHECK_FALSE(supervised.supervisor.restart("no such child"));
  supervised.supervisor.start();
  supervised.at("ready web", 1, [&] { CHECK(supervised.supervisor.restart("web")); });
  supervised.at("ready web", 2, [&] { supervised.supervisor.stop(); });
  loop.run();
  CHECK(supervised.log == Log{"start web", "ready web", "exit web code 0", "start web", "ready web",
                              "exit web code 0", "close"});
}

TEST_CASE("supervisor: a child may be added later, and its name only once", "[supervision]") {
  TestLoop loop;
  Supervised supervised(loop);
  supervised.supervisor.add(program("a"));
  CHECK_THROWS_WITH(supervised.supervisor.add(program("a")), ContainsSubstring("\"a\""));
  CHECK_THROWS_AS(supervised.supervisor.add(program("")), tine::Error);
  supervised.supervisor.start();
  supervised.at("ready a", 1, [&] { supervised.supervisor.add(program("b")); });
  supervised.at("ready b", 1, [&] { supervised.supervisor.stop(); });
  loop.run();
  CHECK(supervised.log ==
        Log{"start a", "ready a", "start b", "ready b", "exit b code 0", "exit a code 0", "close"});
}

TEST_CASE("supervisor: a child has a group of its own, unless the options say otherwise",
          "[supervision]") {
  if (!tine::spawn::Subprocess::does_all()) return;
  TestLoop loop;
  Supervised supervised(loop);
  tine::ChildSpec ours = program("ours");
  ours.fork.own_group = false;
  tine::ChildSpec detached = program("detached");
  detached.fork.detached = true;
  supervised.supervisor.add(program("own"));
  supervised.supervisor.add(ours);
  supervised.supervisor.add(detached);
  supervised.supervisor.start();
  int ready = 0;
  supervised.supervisor.on<"ready">([&](const std::string& name, const tine::ChildProcess& child) {
    CHECK((getpgid(*child.pid()) == getpgrp()) == (name == "ours"));
    CHECK((getsid(*child.pid()) == getsid(0)) == (name != "detached"));
    if (++ready == 3) supervised.supervisor.stop();
  });
  loop.run();
}

TEST_CASE("supervisor: a signal stops all in reverse, a second one kills", "[supervision]") {
  const bool second = GENERATE(false, true);
  TestLoop loop;
  Supervised supervised(loop);
  tine::ChildSpec deaf = node("deaf", {"deaf", "ready"});
  deaf.ready = Ready::message("ready");
  if (second) deaf.stop = {StopStep::disconnect(1h)};
  supervised.supervisor.add(program("echo"));
  if (second) supervised.supervisor.add(deaf);
  supervised.supervisor.stop_on({SIGUSR1, SIGUSR2});
  supervised.supervisor.start();
  supervised.at(second ? "ready deaf" : "ready echo", 1, [&] {
    raise(SIGUSR2);
    if (second) loop->after(10ms, [] { raise(SIGUSR1); });
  });
  loop.run();
  const std::string last = supervised.log.at(supervised.log.size() - 2);
  CHECK(last.starts_with(second ? "exit" : "exit echo code 0"));
  const auto killed = std::count_if(supervised.log.begin(), supervised.log.end(), [](auto& event) {
    return event.ends_with("signal 9 (Killed)");
  });
  CHECK(killed == (second ? 2 : 0));
}

TEST_CASE("supervisor: a signal that comes while children start stops the start", "[supervision]") {
  TestLoop loop;
  Supervised supervised(loop, {.strategy = Strategy::one_for_all});
  tine::ChildSpec slow = program("slow");
  slow.ready = Ready::message("never");
  supervised.supervisor.add(slow);
  supervised.supervisor.add(program("second"));
  supervised.supervisor.stop_on({SIGUSR1});
  const bool before = GENERATE(true, false);
  if (before) {
    supervised.supervisor.start();
    raise(SIGUSR1);
  } else {
    supervised.supervisor.on<"start">([] { raise(SIGUSR1); });
    supervised.supervisor.start();
  }
  loop.run();
  CHECK(std::count(supervised.log.begin(), supervised.log.end(), "start second") == 0);
  CHECK(supervised.log.back() == "close");
}

TEST_CASE("supervisor: a listener that throws loses nothing", "[supervision]") {
  TestLoop loop;
  Supervised supervised(loop);
  supervised.supervisor.add(program("a"));
  supervised.supervisor.add(program("b"));
  supervised.supervisor.on<"start">([] { throw std::runtime_error("start"); });
  supervised.at("ready b", 1, [&] { supervised.supervisor.stop(); });
  supervised.supervisor.start();
  CHECK_THROWS_WITH(loop.run(), "start");
  CHECK_THROWS_WITH(loop.run(), "start");
  loop.run();
  CHECK(supervised.log ==
        Log{"start a", "start b", "ready a", "ready b", "exit b code 0", "exit a code 0", "close"});
}

TEST_CASE("supervisor: handles may be dropped; the children are kept running", "[supervision]") {
  TestLoop loop;
  std::vector<std::string> log;
  {
    const tine::Supervisor supervisor(loop);
    supervisor.add(quickly(script("a", "exit 1")));
    supervisor.on<"start">([&log](const std::string& name) { log.push_back(name); });
    supervisor.on<"failed">([] {});
    supervisor.start();
  }
  loop.run();
  CHECK(log.size() == 6);
}

TEST_CASE("supervisor: an empty handle does nothing", "[supervision]") {
  const tine::Supervisor empty;
  CHECK_FALSE(empty);
  empty.add({});
  empty.start();
  empty.stop();
  empty.kill();
  empty.stop_on({SIGTERM});
  CHECK_FALSE(empty.restart("a"));
  CHECK_FALSE(empty.child("a"));
}

TEST_CASE("supervisor: one that was never started goes with its handles", "[supervision]") {
  TestLoop loop;
  const auto held = std::make_shared<int>();
  {
    const tine::Supervisor supervisor(loop);
    supervisor.add(program("a"));
    supervisor.on<"close">([held] { CHECK(false); });
    CHECK(held.use_count() == 2);
  }
  CHECK(held.use_count() == 1);
  loop.run();
}

TEST_CASE("supervisor: one that is dropped before it was started takes no signals any more",
          "[supervision]") {
  TestLoop loop;
  const auto handler = [] {
    struct sigaction action {};
    sigaction(SIGUSR1, nullptr, &action);
    return action.sa_handler;
  };
  const auto before = handler();
  {
    const tine::Supervisor supervisor(loop);
    supervisor.stop_on({SIGUSR1});
    CHECK(handler() != before);
    CHECK_THROWS_AS(supervisor.stop_on({SIGUSR2, SIGKILL}), tine::Error);
  }
  CHECK(handler() == before);
  loop.run();
}

TEST_CASE("supervisor: one without children ends when it is stopped", "[supervision]") {
  TestLoop loop;
  Supervised supervised(loop);
  supervised.supervisor.start();
  loop.run();
  CHECK(supervised.log.empty());
  supervised.supervisor.stop();
  loop.run();
  CHECK(supervised.log == Log{"close"});
}

TEST_CASE("supervisor: if the loop is destroyed, listeners are destroyed and not called",
          "[supervision]") {
  TestLoop loop;
  const auto held = std::make_shared<int>();
  tine::Supervisor supervisor(loop);
  tine::ChildSpec spec = program("a");
  spec.fork.kill_with_loop = true;
  spec.heartbeat.every = 1ms;
  tine::ChildSpec starting = spec;
  starting.name = "b";
  starting.ready = Ready::message("ready");
  tine::ChildSpec waiting = script("c", "exit 1");
  waiting.backoff.first = 1h;
  for (const auto& each : {spec, starting, waiting}) supervisor.add(each);
  supervisor.stop_on({SIGUSR1});
  supervisor.on<"exit">([held] {});
  supervisor.on<"close">([supervisor, held] { CHECK(false); });
  supervisor.on<"restart">([&] { loop->stop(); });
  supervisor.start();
  loop.run();
  const int pid = supervisor.child("a").pid().value();
  const int other = supervisor.child("b").pid().value();
  CHECK(held.use_count() == 3);
  loop.destroy();
  CHECK(held.use_count() == 1);
  supervisor.stop();
  supervisor.add(program("d"));
  CHECK(supervisor.restart("a"));
  while (::kill(pid, 0) == 0 || ::kill(other, 0) == 0) std::this_thread::yield();
}
