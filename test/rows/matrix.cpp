// Actions of a listener in each event, and a loop that is destroyed while its children live.
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <sched.h>
#include <signal.h>

#include "support/catch.hpp"
#include "support/invariants.hpp"
#include "support/test_loop.hpp"

using nlohmann::json;

namespace {

// A child that sends a message, a bad line and a message, then reads what it is sent, and ends. It
// begins to read when everything is sent; otherwise the kernel might take everything at once, and
// there would be no "drain".
class Meddled {
 public:
  Meddled(TestLoop& loop, Invariants& invariants)
      : loop_(loop),
        invariants_(invariants),
        child_(invariants.watch(loop.fork_script(script, options()))) {
    child_->on<"error">([](const tine::Error&) {});
    child_->on<"message">([] {});
  }

  // Does `action` in the first `event`, or in a send callback if `event` is "sent".
  void meddle(const std::string& event, const std::string& action) {
    const auto act = [this, action] {
      ++acted_;
      do_action(action);
    };
    if (event == "spawn") remember(child_->once<"spawn">(act));
    if (event == "connected") remember(child_->once<"connected">(act));
    if (event == "message") remember(child_->once<"message">(act));
    if (event == "error") remember(child_->once<"error">(act));
    if (event == "drain") remember(child_->once<"drain">(act));
    if (event == "disconnect") remember(child_->once<"disconnect">(act));
    if (event == "exit") remember(child_->once<"exit">(act));
    if (event == "close") remember(child_->once<"close">(act));
    if (event == "sent") {
      child_->send(std::string(size, 'x'), [sent = invariants_.sent(), act](std::error_code error) {
        sent(error);
        act();
      });
    } else {
      child_->send(std::string(size, 'x'), invariants_.sent());
    }
    child_->in().end("read\n");
  }

  int acted() const { return acted_; }

 private:
  static constexpr std::size_t size = 1'000'000;
  static constexpr auto script =
      R"(printf '1\nbad\n2\n' >&3; read -r go; exec head -c 1000003 <&3 >/dev/null)";

  static tine::ForkOptions options() {
    tine::ForkOptions options{.channel = {.send_mark = 1000}};
    options.stdio = {tine::Stdio::pipe(), tine::Stdio::inherit(), tine::Stdio::inherit(),
                     tine::Stdio::ipc()};
    return options;
  }

  void remember(tine::Subscription subscription) {
    remove_ = [this, subscription] {
      if (child_) child_->off(subscription);
    };
  }

  void do_action(const std::string& action) {
    if (action == "throw") throw std::runtime_error("thrown");
    if (action == "destroy") child_.reset();
    if (action == "fork") invariants_.watch(loop_.fork("raw"));
    if (action == "remove" && remove_) remove_();
    if (!child_) return;
    if (action == "disconnect") child_->disconnect();
    if (action == "kill") child_->kill(SIGKILL);
    if (action == "send") child_->send("more", invariants_.sent());
    if (action == "pause") child_->channel().pause();
  }

  TestLoop& loop_;
  Invariants& invariants_;
  std::optional<tine::ChildProcess> child_;
  std::function<void()> remove_;
  int acted_ = 0;
};

int runs_that_throw(TestLoop& loop) {
  int thrown = 0;
  for (;;) {
    try {
      loop.run();
      return thrown;
    } catch (const std::runtime_error& error) {
      CHECK(std::string(error.what()) == "thrown");
      ++thrown;
    }
  }
}

}  // namespace

TEST_CASE("row 38: a listener of a parent may do anything, in each event", "[rows]") {
  const std::string event = GENERATE(as<std::string>{}, "spawn", "connected", "message", "error",
                                     "drain", "sent", "disconnect", "exit", "close");
  TestLoop loop;
  Invariants invariants(loop, 32 * mebibyte);
  for (const std::string action :
       {"throw", "disconnect", "kill", "send", "destroy", "fork", "pause", "remove"}) {
    INFO(event << ": " << action);
    Meddled meddled(loop, invariants);
    meddled.meddle(event, action);
    CHECK(runs_that_throw(loop) == (action == "throw" ? 1 : 0));
    CHECK(meddled.acted() == 1);
  }
  invariants.check();
}

TEST_CASE("row 39: a loop that is destroyed while its children live closes what it has of them",
          "[rows]") {
  TestLoop loop;
  const auto before = open_descriptors();
  Invariants invariants(loop, 32 * mebibyte);
  std::vector<int> pids;
  std::vector<tine::ChildProcess> handles;
  {
    tine::Loop other;
    const auto fork = [&](const std::string& program, tine::ForkOptions options) {
      handles.push_back(tine::fork(other, test_program(program), std::move(options)));
      return handles.back();
    };
    fork("echo", {});
    fork("echo", {}).channel().pause();
    fork("flood", {.args = {"10000", "idle"}});
    fork("raw", {.args = {"await-end"}}).disconnect();
    auto stuck = tine::fork(other, "exec tail -f /dev/null",
                            {.exec_path = "/bin/sh", .exec_args = {"-c"}, .kill_with_loop = true});
    for (int i = 0; i < 5; ++i) stuck.send(std::string(1'000'000, 'x'));
    stuck.disconnect();
    handles.push_back(stuck);
    fork("no-such-program", {});
    for (auto& child : handles) {
      child.on<"message">([&] { other.stop(); });
      child.on<"error">([](const tine::Error&) {});
    }
    other.run();
    for (auto& child : handles) {
      if (child.pid()) pids.push_back(*child.pid());
      child.on<"message">([] { FAIL("a listener ran without a loop"); });
    }
  }
  CHECK(open_descriptors() == before);
  for (auto& child : handles) {
    CHECK_FALSE(child.connected());
    CHECK_FALSE(child.send("late"));
  }
  CHECK(pids.size() == 5);
  const auto give_up = std::chrono::steady_clock::now() + deadline;
  for (const int pid : pids) {
    while (kill(pid, 0) == 0 && std::chrono::steady_clock::now() < give_up) sched_yield();
    CHECK(kill(pid, 0) < 0);
  }
  invariants.check();
}
