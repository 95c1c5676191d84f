// When a child that was started is ready.
#include "supervision/ready_watch.hpp"

#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/test_loop.hpp"

using namespace std::chrono_literals;
using nlohmann::json;
using tine::Ready;
using tine::supervision::ReadyWatch;
using tine::supervision::Started;
using As = Started::As;

namespace {

// The watch of a child, which must tell once what has become of it.
class Watched {
 public:
  Watched(TestLoop& loop, tine::ChildProcess watched, const Ready& ready,
          std::chrono::milliseconds patience = 1h)
      : child(std::move(watched)),
        watch_(std::make_unique<ReadyWatch>(tine::core_of(loop), child, ready, patience,
                                            [this](const Started& started) { tell(started); })) {}

  As as() const {
    REQUIRE(outcome_);
    return outcome_->as;
  }
  std::string why() const { return outcome_->refusal.value().what(); }
  bool told() const { return outcome_.has_value(); }
  void drop() { watch_.reset(); }

  tine::ChildProcess child;
  std::function<void()> then = [] {};

 private:
  void tell(const Started& started) {
    CHECK_FALSE(outcome_);
    outcome_ = started;
    watch_.reset();
    then();
  }

  std::unique_ptr<ReadyWatch> watch_;
  std::optional<Started> outcome_;
};

const std::string until_disconnect = "read -r _ <&3";

}  // namespace

TEST_CASE("ready: spawned means that the program runs", "[supervision]") {
  TestLoop loop;
  Watched watched(loop, loop.fork("echo"), Ready::spawned());
  CHECK_FALSE(watched.told());
  watched.then = [&] { watched.child.disconnect(); };
  loop.run();
  CHECK(watched.as() == As::ready);
}

TEST_CASE("ready: a message that equals the expected one, and no other", "[supervision]") {
  TestLoop loop;
  const std::string script = R"(printf '"Ready"\n["ready"]\n"ready"\n"more"\n' >&3; )";
  Watched watched(loop, loop.fork_script(script + until_disconnect), Ready::message("ready"));
  std::vector<json> messages;
  watched.then = [&] {
    watched.child.on<"message">([&](const json& message) {
      messages.push_back(message);
      if (message == "more") watched.child.disconnect();
    });
  };
  loop.run();
  CHECK(watched.as() == As::ready);
  CHECK(messages == std::vector<json>{"Ready", json::array({"ready"}), "ready", "more"});
}

TEST_CASE("ready: listeners that were there before get all messages too", "[supervision]") {
  TestLoop loop;
  Watched watched(loop, loop.fork_script(R"(printf '{"a":[1]}\n2\n' >&3; )" + until_disconnect),
                  Ready::message(tine::object("a", tine::args(1))));
  std::vector<std::string> messages;
  watched.child.on<"message">([&](tine::Text text) {
    messages.emplace_back(text.json);
    if (messages.size() == 2) watched.child.disconnect();
  });
  loop.run();
  CHECK(watched.as() == As::ready);
  CHECK(messages == std::vector<std::string>{R"({"a":[1]})", "2"});
}

TEST_CASE("ready: a request that is answered", "[supervision]") {
  TestLoop loop;
  const bool takes_params = GENERATE(true, false);
  const Ready ready =
      takes_params ? Ready::request("add", tine::object("a", 1, "b", 2)) : Ready::request("logged");
  Watched watched(loop, loop.fork("requests"), ready);
  watched.then = [&] { watched.child.disconnect(); };
  loop.run();
  CHECK(watched.as() == As::ready);
}

TEST_CASE("ready: an answer that is an error says that the child is not ready", "[supervision]") {
  TestLoop loop;
  Watched watched(loop, loop.fork("requests"), Ready::request("no such method", {{"a", 1}}));
  watched.then = [&] { watched.child.disconnect(); };
  loop.run();
  CHECK(watched.as() == As::refused);
  CHECK_THAT(watched.why(), ContainsSubstring("no such method"));
}

TEST_CASE("ready: after the deadline the child is late", "[supervision]") {
  const Ready ready = GENERATE(Ready::message("ready"), Ready::request("initialize"));
  TestLoop loop;
  Watched watched(loop, loop.fork_script("exec tail -f /dev/null"), ready, 20ms);
  watched.then = [&] { watched.child.kill(SIGKILL); };
  loop.run();
  CHECK(watched.as() == As::late);
}

TEST_CASE("ready: a child that ends before is told to have ended", "[supervision]") {
  const Ready ready = GENERATE(Ready::message("ready"), Ready::request("initialize"));
  TestLoop loop;
  Watched watched(loop, loop.fork_script("exit 3"), ready);
  loop.run();
  CHECK(watched.as() == As::ended);
  CHECK(watched.child.exit_code() == 3);
}

TEST_CASE("ready: a child that cannot be started is told to have ended", "[supervision]") {
  const Ready ready =
      GENERATE(Ready::spawned(), Ready::message("ready"), Ready::request("initialize"));
  TestLoop loop;
  auto child = tine::fork(loop, "/nonexistent");
  child.on<"error">([](const tine::Error&) {});
  Watched watched(loop, child, ready);
  loop.run();
  CHECK(watched.as() == As::ended);
}

TEST_CASE("ready: time in which this process did not turn does not count", "[supervision]") {
  using Clock = std::chrono::steady_clock;
  TestLoop loop;
  Watched watched(loop, loop.fork("echo"), Ready::message("late"), 500ms);
  watched.then = [&] { watched.child.disconnect(); };
  // After this process was busy for longer than the deadline, the child still gets a turn.
  loop->post([&] {
    const auto start = Clock::now();
    while (Clock::now() - start < 600ms) {
    }
    watched.child.send("late");
  });
  loop.run();
  CHECK(watched.as() == As::ready);
}

TEST_CASE("ready: a watch that is dropped says nothing, and leaves nothing behind",
          "[supervision]") {
  const Ready ready = GENERATE(Ready::spawned(), Ready::message(1), Ready::request("add"));
  TestLoop loop;
  Watched watched(loop, loop.fork("echo"), ready);
  watched.drop();
  CHECK(watched.child.listener_count<"spawn">() == 0);
  CHECK(watched.child.listener_count<"exit">() == 0);
  watched.child.once<"message">([&] { watched.child.disconnect(); });
  watched.child.send(1);
  loop.run();
  CHECK_FALSE(watched.told());
}

TEST_CASE("ready: if the loop is destroyed, the watch ends", "[supervision]") {
  TestLoop loop;
  tine::ForkOptions options;
  options.kill_with_loop = true;
  Watched watched(loop, loop.fork("echo", std::move(options)), Ready::message("ready"));
  const int pid = watched.child.pid().value();
  watched.drop();
  loop.destroy();
  while (::kill(pid, 0) == 0) std::this_thread::yield();
  CHECK_FALSE(watched.told());
}
