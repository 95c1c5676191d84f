// Children that are asked to end, killed together with their descendants, or waited for.
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spawn/subprocess.hpp"
#include "support/catch.hpp"
#include "support/folder.hpp"
#include "support/subreaper.hpp"
#include "support/test_loop.hpp"

using namespace std::chrono_literals;
using nlohmann::json;
using Log = std::vector<std::string>;

namespace {

const std::string forever = "exec tail -f /dev/null";

// Ignores SIGTERM and the end of its channel. Sends a message when it is ready.
const std::string stubborn = "trap '' TERM; echo 1 >&3; while :; do read -r _ < /dev/zero; done";

// Waits for an orphan. Returns the signal that ended it, or 0.
int signal_that_ended(int pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

// A child with a child and a grandchild, each of which lives on when its parent ends. It sends the
// pids of the other two.
const std::string family = "sh -c 'tail -f /dev/null & echo \"[$$,$!]\" >&3; wait' & wait";

}  // namespace

TEST_CASE("stop: a child that ends with its channel is not killed", "[process]") {
  TestLoop loop;
  auto child = loop.fork("echo");
  child.on<"message">([&] { child.stop(); });
  child.send(1);
  loop.run();
  CHECK(child.exit_code() == 0);
  CHECK_FALSE(child.killed());
}

TEST_CASE("stop: it sends the given signal", "[process]") {
  TestLoop loop;
  auto child = loop.fork_script("trap 'exit 7' HUP; echo 1 >&3; while :; do sleep 0.01; done");
  child.on<"message">([&] { child.stop({.signal = SIGHUP}); });
  loop.run();
  CHECK(child.exit_code() == 7);
}

TEST_CASE("stop: without a channel it sends SIGTERM", "[process]") {
  TestLoop loop;
  auto child = loop.fork_script("exec 3>&-; " + forever);
  child.on<"disconnect">([&] { child.stop(); });
  loop.run();
  CHECK(child.signal_code() == SIGTERM);
}

TEST_CASE("stop: after the deadline the child is killed", "[process]") {
  const int signal = GENERATE(0, SIGTERM);
  TestLoop loop;
  auto child = loop.fork_script(stubborn);
  child.on<"message">([&] { child.stop({.deadline = 20ms, .signal = signal}); });
  loop.run();
  CHECK(child.signal_code() == SIGKILL);
}

TEST_CASE("stop: the deadline of the last call counts", "[process]") {
  TestLoop loop;
  auto child = loop.fork_script(stubborn);
  child.on<"message">([&] {
    child.stop({.deadline = 1h});
    child.stop({.deadline = 1ms});
  });
  loop.run();
  CHECK(child.signal_code() == SIGKILL);
  child.stop();  // does nothing, because the child has ended
}

TEST_CASE("kill_tree: descendants are killed too, found in /proc or by their group", "[process]") {
  const bool own_group = GENERATE(false, true);
  TestLoop loop;
  if (own_group && !tine::spawn::Subprocess::does_all()) return;
  const Subreaper subreaper;
  std::vector<int> descendants;
  auto child = loop.fork_script(family, {.own_group = own_group});
  child.on<"message">([&](std::vector<int> pids) {
    descendants = std::move(pids);
    CHECK(child.kill_tree());
  });
  loop.run();
  CHECK(child.signal_code() == SIGKILL);
  CHECK(child.killed());
  REQUIRE(descendants.size() == 2);
  for (const int pid : descendants) CHECK(signal_that_ended(pid) == SIGKILL);
  CHECK_FALSE(child.kill_tree());
}

TEST_CASE("kill_tree: a signal with a handler reaches all processes, and they go on", "[process]") {
  TestLoop loop;
  Log log;
  auto child = loop.fork_script(
      "trap 'wait; exit 4' HUP; "
      "sh -c 'trap \"echo 5 >&3; exit\" HUP; echo 1 >&3; while :; do sleep 0.01; done' & "
      "while :; do wait; done");
  child.on<"message">([&](int number) {
    log.push_back(std::to_string(number));
    if (number == 1) CHECK(child.kill_tree(SIGHUP));
  });
  loop.run();
  CHECK(child.exit_code() == 4);
  CHECK(log == Log{"1", "5"});
}

TEST_CASE("kill_tree: processes that fork all the time cannot escape", "[process]") {
  TestLoop loop;
  const Subreaper subreaper;
  auto child = loop.fork_script(
      "for i in 1 2 3 4; do (while :; do (:) & (:) ; done) & done; echo 1 >&3; wait");
  child.on<"message">([&] { CHECK(child.kill_tree()); });
  loop.run();
  CHECK(child.signal_code() == SIGKILL);
  // All remaining descendants are now children of this process, and dead. Otherwise this would
  // block forever.
  while (waitpid(-1, nullptr, 0) > 0) {
  }
}

TEST_CASE("wait_for_message: it takes the message that passes the filter, and no other is lost",
          "[process]") {
  TestLoop loop;
  ExpectCalls called(2);
  auto child = loop.fork_script(R"(printf '1\n{"ready":true}\n2\n' >&3; read -r _ <&3; exit 0)");
  tine::wait_for_message(
      loop, child, {.filter = [](const json& message) { return message.contains("ready"); }},
      [&](std::error_code error, const json& message) {
        called();
        CHECK_FALSE(error);
        CHECK((message == json{{"ready", true}}));
        tine::wait_for_message(loop, child, {}, [&](std::error_code, const json& next) {
          called();
          CHECK(next == 2);
          child.disconnect();
        });
        CHECK(child.listener_count<"message">() <= 2);
      });
  loop.run();
  CHECK(child.exit_code() == 0);
}

TEST_CASE("wait_for_message: after the deadline it reports a timeout, once", "[process]") {
  TestLoop loop;
  ExpectCalls called(1);
  auto child = loop.fork_script("read -r _ <&3; echo 1 >&3");
  tine::wait_for_message(loop, child, {.deadline = 10ms},
                         [&](std::error_code error, const json& message) {
                           called();
                           CHECK(error == tine::Errc::timed_out);
                           CHECK(message.is_null());
                           CHECK(child.listener_count<"message">() == 0);
                           CHECK(child.listener_count<"disconnect">() == 0);
                           child.send(1);
                         });
  loop.run();
}

TEST_CASE("wait_for_message: a message in time counts, even if this process looks only later",
          "[process]") {
  using Clock = std::chrono::steady_clock;
  Folder folder;
  const std::string sent = folder.at("sent");
  TestLoop loop;
  auto child = loop.fork_script("echo 7 >&3; : >" + sent + "; read -r _ <&3");
  ExpectCalls called(1);
  tine::wait_for_message(loop, child, {.deadline = 10ms},
                         [&](std::error_code error, const json& message) {
                           called();
                           CHECK_FALSE(error);
                           CHECK(message == 7);
                           child.disconnect();
                         });
  const auto start = Clock::now();
  while (!std::filesystem::exists(sent) || Clock::now() - start < 20ms) {
    REQUIRE(Clock::now() - start < deadline);
  }
  loop.run();
}

TEST_CASE("wait_for_message: the end of the channel ends it", "[process]") {
  TestLoop loop;
  ExpectCalls called(1);
  const bool startable = GENERATE(true, false);
  auto child = startable ? loop.fork_script("exit 0") : tine::fork(loop, "/nonexistent");
  child.on<"error">([](const tine::Error&) {});
  tine::wait_for_message(loop, child, {.deadline = 1h}, [&](std::error_code error, const json&) {
    called();
    CHECK(error == tine::Errc::channel_closed);
  });
  loop.run();
}

TEST_CASE("wait_for_message: a child that has ended gives its stored messages, then an error",
          "[process]") {
  TestLoop loop;
  ExpectCalls called(2);
  auto child = loop.fork_script("echo 1 >&3");
  loop.run();
  tine::wait_for_message(loop, child, {.deadline = 1h},
                         [&](std::error_code error, const json& message) {
                           called();
                           CHECK_FALSE(error);
                           CHECK(message == 1);
                         });
  loop.run();
  tine::wait_for_message(loop, child, {.deadline = 1h}, [&](std::error_code error, const json&) {
    called();
    CHECK(error == tine::Errc::channel_closed);
  });
  loop.run();
}

TEST_CASE(
    "child process: a listener that is added in \"exit\" gets what is stored, before it is dropped",
    "[process]") {
  TestLoop loop;
  std::vector<int> received;
  auto child = loop.fork_script("echo 1 >&3; echo 2 >&3");
  child.on<"exit">(
      [&, child] { child.on<"message">([&](int value) { received.push_back(value); }); });
  loop.run();
  CHECK(received == std::vector{1, 2});
  CHECK(child.closed());
  CHECK(child.listener_count<"message">() == 0);
}

TEST_CASE("wait_for_message: if the loop is destroyed, the callback is dropped and not called",
          "[process]") {
  TestLoop loop;
  const auto held = std::make_shared<int>();
  auto child = loop.fork_script(forever, {.kill_with_loop = true});
  tine::wait_for_message(loop, child, {}, [held](std::error_code, const json&) { CHECK(false); });
  CHECK(held.use_count() == 2);
  const int pid = child.pid().value();
  loop.destroy();
  CHECK(held.use_count() == 1);
  while (::kill(pid, 0) == 0) std::this_thread::yield();  // until the child is reaped
}

TEST_CASE("wait_for_message: a child can wait for its parent too", "[process]") {
  TestLoop loop;
  json answer;
  auto child = loop.fork("await");
  child.on<"message">([&](json message) { answer = std::move(message); });
  child.send("not this");
  child.send({{"go", 1}});
  loop.run();
  CHECK((answer == json{{"go", 1}}));
  CHECK(child.exit_code() == 0);
}
