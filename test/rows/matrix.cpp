// Fault 38: what a listener may do, in each event.
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/invariants.hpp"
#include "support/test_loop.hpp"

using nlohmann::json;

namespace {

// A child that sends a message, a bad line and a message, then reads what is sent to it, and ends.
class Meddled {
 public:
  Meddled(TestLoop& loop, Invariants& invariants)
      : loop_(loop),
        invariants_(invariants),
        child_(invariants.watch(loop.fork_script(script, options()))) {
    child_->on<"error">([](const tine::Error&) {});
    child_->on<"message">([] {});
  }

  // Has `action` done in the first `event`.
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
  }

  int acted() const { return acted_; }

 private:
  static constexpr std::size_t size = 1'000'000;
  static constexpr auto script = R"(printf '1\nbad\n2\n' >&3; exec head -c 1000003 <&3 >/dev/null)";

  static tine::ForkOptions options() { return {.channel = {.send_mark = 1000}}; }

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

TEST_CASE("fault 38: a listener may do anything, in each event", "[faults]") {
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
