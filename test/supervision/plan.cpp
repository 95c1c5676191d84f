// What a Supervisor does, without processes and in virtual time.
#include "supervision/plan.hpp"

#include <chrono>
#include <string>
#include <vector>

#include "support/catch.hpp"

using namespace std::chrono_literals;
using tine::Backoff;
using tine::Restart;
using tine::Strategy;
using tine::SupervisorOptions;
using tine::supervision::Clock;
using tine::supervision::Plan;
using Log = std::vector<std::string>;

namespace {

const Backoff steady{.first = 100ms, .factor = 1, .jitter = 0};

std::string text(const Plan::Action& action) {
  const char* const names[] = {"start", "stop", "abort",  "kill", "ready",
                               "again", "hung", "failed", "close"};
  const std::string name = names[static_cast<int>(action.kind)];
  return action.kind == Plan::Action::Kind::close ? name : name + std::to_string(action.child);
}

// A plan, its time, and what it wants to be done.
struct Planned {
  explicit Planned(const SupervisorOptions& options, int children = 3,
                   Restart restart = Restart::permanent)
      : plan(options) {
    while (children-- > 0) plan.add(restart, steady, now);
    plan.start(now);
  }

  Log actions() {
    Log log;
    for (const auto& action : plan.take_actions()) log.push_back(text(action));
    return log;
  }
  // Makes all children ready, in order, and drops the actions.
  void make_ready(std::size_t count = 3) {
    for (std::size_t i = 0; i < count; ++i) plan.ready(i, now);
    plan.take_actions();
  }
  void ended(std::size_t child, bool success = false) { plan.ended(child, success, 0, now); }
  void pass(std::chrono::milliseconds time) {
    now += time;
    plan.pass(now);
  }

  Clock::time_point now = Clock::time_point(1h);
  Plan plan;
};

}  // namespace

TEST_CASE("plan: dependent children start in order, each when the one before is ready",
          "[supervision]") {
  const Strategy strategy = GENERATE(Strategy::rest_for_one, Strategy::one_for_all);
  Planned planned({.strategy = strategy});
  CHECK(planned.actions() == Log{"start0"});
  planned.plan.ready(0, planned.now);
  CHECK(planned.actions() == Log{"ready0", "start1"});
  planned.plan.ready(1, planned.now);
  planned.plan.ready(1, planned.now);
  CHECK(planned.actions() == Log{"ready1", "start2"});
}

TEST_CASE("plan: independent children start in order, some at a time", "[supervision]") {
  Planned planned({.starting = 2});
  CHECK(planned.actions() == Log{"start0", "start1"});
  planned.plan.ready(1, planned.now);
  CHECK(planned.actions() == Log{"ready1", "start2"});
  Planned one_by_one({.starting = 0});
  CHECK(one_by_one.actions() == Log{"start0"});
}

TEST_CASE("plan: all are stopped in the opposite order, whatever they are doing", "[supervision]") {
  const Strategy strategy =
      GENERATE(Strategy::one_for_one, Strategy::rest_for_one, Strategy::one_for_all);
  Planned planned({.strategy = strategy});
  planned.make_ready(2);
  planned.plan.stop(planned.now);
  planned.plan.stop(planned.now);
  CHECK(planned.actions() == Log{"stop2"});
  planned.ended(2);
  CHECK(planned.actions() == Log{"stop1"});
  planned.ended(0);
  CHECK(planned.actions().empty());
  planned.ended(1);
  CHECK(planned.actions() == Log{"close"});
  planned.plan.restart(0, planned.now);
  planned.plan.add(Restart::permanent, {}, planned.now);
  planned.plan.start(planned.now);
  planned.plan.stop(planned.now);
  CHECK(planned.actions().empty());
}

TEST_CASE("plan: kill() kills all at once, also while they are stopped", "[supervision]") {
  Planned planned({});
  planned.make_ready();
  planned.plan.stop(planned.now);
  planned.plan.kill(planned.now);
  CHECK(planned.actions() == Log{"stop2", "kill2", "kill1", "kill0"});
  for (const std::size_t i : {0, 1, 2}) planned.ended(i);
  CHECK(planned.actions() == Log{"close"});
  planned.plan.kill(planned.now);
  CHECK(planned.actions().empty());
}

TEST_CASE("plan: stopped before it is started, it starts nothing", "[supervision]") {
  Plan plan({});
  plan.add(Restart::permanent, {}, {});
  plan.stop({});
  plan.start({});
  CHECK(plan.take_actions() == std::vector<Plan::Action>{{.kind = Plan::Action::Kind::close}});
}

TEST_CASE("plan: one_for_one starts a child again after its delay, and leaves the others alone",
          "[supervision]") {
  Planned planned({});
  planned.make_ready();
  planned.ended(1);
  CHECK(planned.actions() == Log{"again1"});
  CHECK(planned.plan.next_pass(planned.now) == planned.now + 100ms);
  planned.pass(99ms);
  CHECK(planned.actions().empty());
  planned.pass(1ms);
  CHECK(planned.actions() == Log{"start1"});
  CHECK(planned.plan.next_pass(planned.now) == tine::uv::no_deadline);
}

TEST_CASE("plan: rest_for_one stops those behind in reverse, then starts them in order",
          "[supervision]") {
  Planned planned({.strategy = Strategy::rest_for_one}, 4);
  planned.make_ready(4);
  planned.ended(1);
  CHECK(planned.actions() == Log{"again1", "stop3"});
  planned.pass(1s);
  CHECK(planned.actions().empty());
  planned.ended(3);
  CHECK(planned.actions() == Log{"stop2"});
  planned.ended(2);
  CHECK(planned.actions() == Log{"start1"});
  planned.plan.ready(1, planned.now);
  planned.plan.ready(2, planned.now);
  CHECK(planned.actions() == Log{"ready1", "start2", "ready2", "start3"});
}

TEST_CASE("plan: one_for_all stops all in reverse, then starts them in order", "[supervision]") {
  Planned planned({.strategy = Strategy::one_for_all});
  planned.make_ready();
  planned.ended(1);
  CHECK(planned.actions() == Log{"again1", "stop2"});
  planned.ended(2, true);
  planned.ended(0, true);
  CHECK(planned.actions() == Log{"stop0", "start0"});
  planned.plan.ready(0, planned.now);
  CHECK(planned.actions() == Log{"ready0"});  // 1 has to wait
  planned.pass(100ms);
  CHECK(planned.actions() == Log{"start1"});
}

TEST_CASE("plan: who is started again depends on how it ended", "[supervision]") {
  const SupervisorOptions options{.give_up = SupervisorOptions::GiveUp::never};
  for (const bool success : {true, false}) {
    Planned permanent(options, 2, Restart::permanent);
    Planned transient(options, 2, Restart::transient);
    Planned temporary(options, 2, Restart::temporary);
    for (Planned* const each : {&permanent, &transient, &temporary}) {
      each->make_ready(2);
      each->ended(0, success);
    }
    CHECK(permanent.actions() == Log{"again0"});
    CHECK(transient.actions() == (success ? Log{} : Log{"again0"}));
    CHECK(temporary.actions().empty());
  }
}

TEST_CASE("plan: when every child has ended for good, the end has come", "[supervision]") {
  Planned planned({}, 2, Restart::temporary);
  planned.make_ready(2);
  planned.ended(1);
  CHECK(planned.actions().empty());
  planned.ended(0);
  CHECK(planned.actions() == Log{"close"});
}

TEST_CASE("plan: dependent children do not wait for one that has ended for good", "[supervision]") {
  Planned planned({.strategy = Strategy::rest_for_one}, 2, Restart::transient);
  planned.plan.take_actions();
  planned.ended(0, true);
  CHECK(planned.actions() == Log{"start1"});
}

TEST_CASE("plan: a temporary child that is stopped for another one stays stopped",
          "[supervision]") {
  Planned planned({.strategy = Strategy::one_for_all}, 1);
  planned.plan.add(Restart::temporary, steady, planned.now);
  planned.make_ready(2);
  planned.ended(0);
  planned.ended(1);
  planned.pass(100ms);
  CHECK(planned.actions() == Log{"again0", "stop1", "start0"});
  planned.plan.ready(0, planned.now);
  CHECK(planned.actions() == Log{"ready0"});
}

TEST_CASE("plan: too many failures within the period, and all or one is given up",
          "[supervision]") {
  using GiveUp = SupervisorOptions::GiveUp;
  const GiveUp give_up = GENERATE(GiveUp::all, GiveUp::child, GiveUp::never);
  Planned planned({.restarts = 2, .period = 1s, .give_up = give_up}, 2);
  planned.make_ready(2);
  const auto fail = [&] {
    planned.ended(0);
    planned.pass(100ms);
    return planned.actions();
  };
  const Log again{"again0", "start0"};
  CHECK(fail() == again);
  planned.pass(900ms);
  CHECK(fail() == again);  // the first one is a second ago
  CHECK(fail() == again);
  if (give_up == GiveUp::never) {
    CHECK(fail() == again);
  } else if (give_up == GiveUp::child) {
    planned.ended(0);
    const auto actions = planned.plan.take_actions();
    REQUIRE(actions.size() == 1);
    CHECK(text(actions[0]) == "failed0");
    CHECK(actions[0].failures == 3);
    planned.plan.stop(planned.now);
    planned.ended(1);
    CHECK(planned.actions() == Log{"stop1", "close"});
  } else {
    CHECK(fail() == Log{"failed0", "stop1"});
    planned.ended(1);
    CHECK(planned.actions() == Log{"close"});
  }
}

TEST_CASE("plan: a child that is not ready, or hangs, is stopped, and has failed",
          "[supervision]") {
  Planned planned({}, 2, Restart::transient);
  planned.plan.take_actions();
  planned.plan.not_ready(0);
  planned.plan.not_ready(0);
  planned.plan.hung(0);
  CHECK(planned.actions() == Log{"stop0"});
  planned.ended(0, true);
  CHECK(planned.actions() == Log{"again0"});

  planned.plan.ready(1, planned.now);
  planned.plan.not_ready(1);
  planned.plan.hung(1);
  planned.plan.hung(1);
  CHECK(planned.actions() == Log{"ready1", "hung1", "abort1"});
  planned.ended(1, true);
  CHECK(planned.actions() == Log{"again1"});
}

TEST_CASE("plan: a child that was ready for long enough before it hung has recovered",
          "[supervision]") {
  const bool long_enough = GENERATE(true, false);
  Plan plan({});
  Clock::time_point now(1h);
  plan.add(Restart::permanent, {.jitter = 0, .forget = 60s}, now);
  plan.start(now);
  const auto fail_after = [&](std::chrono::seconds time) {
    plan.ready(0, now);
    now += time;
    plan.hung(0);
    plan.ended(0, false, 0, now);
    const auto delay = plan.take_actions().back().delay;
    plan.pass(now += 10s);
    return delay;
  };
  CHECK(fail_after(1s) == 100ms);
  CHECK(fail_after(1s) == 200ms);
  CHECK(fail_after(long_enough ? 60s : 59s) == (long_enough ? 100ms : 400ms));
}

TEST_CASE("plan: one that is not ready in time waits for its turn to be stopped", "[supervision]") {
  Planned planned({}, 2);
  planned.plan.stop(planned.now);
  planned.plan.not_ready(0);
  CHECK(planned.actions() == Log{"start0", "start1", "stop1"});
  planned.ended(1);
  CHECK(planned.actions() == Log{"stop0"});
}

TEST_CASE("plan: a restart by hand is no failure, and forgets the former ones", "[supervision]") {
  Planned planned({.restarts = 1}, 1);
  planned.make_ready(1);
  planned.ended(0);
  planned.plan.restart(0, planned.now);
  CHECK(planned.actions() == Log{"again0", "start0"});  // without its delay
  planned.plan.restart(0, planned.now);
  planned.plan.restart(0, planned.now);
  CHECK(planned.actions() == Log{"stop0"});
  planned.ended(0);
  CHECK(planned.actions() == Log{"start0"});
  planned.ended(0);
  CHECK(planned.actions() == Log{"again0"});
}

TEST_CASE("plan: by hand, a child is started that was given up or is temporary", "[supervision]") {
  Planned planned({.restarts = 0, .give_up = SupervisorOptions::GiveUp::child}, 1);
  planned.plan.add(Restart::temporary, steady, planned.now);
  planned.make_ready(2);
  planned.ended(0);
  planned.plan.restart(0, planned.now);
  CHECK(planned.actions() == Log{"failed0", "start0"});
  planned.plan.restart(1, planned.now);
  planned.ended(1);
  CHECK(planned.actions() == Log{"stop1", "start1"});
}

TEST_CASE("plan: a restart by hand restarts those that depend on the child", "[supervision]") {
  Planned planned({.strategy = Strategy::rest_for_one});
  planned.make_ready();
  planned.plan.restart(1, planned.now);
  planned.ended(2);
  planned.ended(1);
  planned.plan.ready(1, planned.now);
  CHECK(planned.actions() == Log{"stop2", "stop1", "start1", "ready1", "start2"});
}

TEST_CASE("plan: dependents that end before it is their turn have not failed", "[supervision]") {
  Planned planned({.strategy = Strategy::rest_for_one,
                   .restarts = 0,
                   .give_up = SupervisorOptions::GiveUp::child});
  planned.make_ready();
  planned.plan.restart(0, planned.now);
  planned.ended(1);
  planned.ended(0);
  CHECK(planned.actions() == Log{"stop2"});
  planned.ended(2);
  CHECK(planned.actions() == Log{"start0"});
}

TEST_CASE("plan: a child that is added later starts as the last one", "[supervision]") {
  Planned planned({.strategy = Strategy::rest_for_one}, 1);
  planned.plan.add(Restart::permanent, steady, planned.now);
  planned.plan.ready(0, planned.now);
  CHECK(planned.actions() == Log{"start0", "ready0", "start1"});
}
