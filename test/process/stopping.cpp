// Children that are asked to end, step by step.
#include <csignal>
#include <string>
#include <vector>

#include <sys/wait.h>

#include "support/catch.hpp"
#include "support/subreaper.hpp"
#include "support/test_loop.hpp"

using namespace std::chrono_literals;
using nlohmann::json;
using tine::StopStep;

namespace {

const std::string forever = "exec tail -f /dev/null";

// Ignores SIGTERM and the end of its channel. Sends a message when it is ready.
const std::string stubborn = "trap '' TERM; echo 1 >&3; while :; do read -r _ < /dev/zero; done";

// Ends with code 7 when it has read this line.
std::string ends_after(const std::string& line) {
  return "read -r line <&3; [ \"$line\" = '" + line + "' ] && exit 7";
}

// Waits for an orphan. Returns the signal that ended it, or 0.
int signal_that_ended(int pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

}  // namespace

TEST_CASE("stop: by default it disconnects, sends SIGTERM, and kills", "[process]") {
  const tine::StopOptions defaults;
  REQUIRE(defaults.steps.size() == 2);
  CHECK(defaults.steps[0].wait() == 5s);
  CHECK(defaults.steps[1].wait() == 5s);
  CHECK_FALSE(defaults.tree);
}

TEST_CASE("stop: a child that ends with its channel gets no signal", "[process]") {
  TestLoop loop;
  auto child = loop.fork("echo");
  child.on<"message">([&] { child.stop(); });
  child.send(1);
  loop.run();
  CHECK(child.exit_code() == 0);
  CHECK_FALSE(child.killed());
}

TEST_CASE("stop: a step sends the given signal", "[process]") {
  TestLoop loop;
  auto child = loop.fork_script("trap 'exit 7' HUP; echo 1 >&3; while :; do sleep 0.01; done");
  child.on<"message">([&] { child.stop({.steps = {StopStep::signal(SIGHUP, 1h)}}); });
  loop.run();
  CHECK(child.exit_code() == 7);
}

TEST_CASE("stop: a step sends a message of any form", "[process]") {
  const StopStep step = GENERATE(StopStep::message({{"cmd", "bye"}}, 1h),
                                 StopStep::message(tine::object("cmd", "bye"), 1h));
  TestLoop loop;
  auto child = loop.fork_script(ends_after(R"({"cmd":"bye"})"));
  child.stop({.steps = {step}});
  loop.run();
  CHECK(child.exit_code() == 7);
}

TEST_CASE("stop: a step sends an array", "[process]") {
  TestLoop loop;
  auto child = loop.fork_script(ends_after("[1,2]"));
  child.stop({.steps = {StopStep::message(tine::args(1, 2), 1h)}});
  loop.run();
  CHECK(child.exit_code() == 7);
}

TEST_CASE("stop: the next step follows if the child runs on", "[process]") {
  TestLoop loop;
  auto child = loop.fork_script(forever);
  child.stop({.steps = {StopStep::disconnect(1ms), StopStep::signal(SIGTERM, 1h)}});
  loop.run();
  CHECK(child.signal_code() == SIGTERM);
}

TEST_CASE("stop: without a channel, the default sends SIGTERM at once", "[process]") {
  TestLoop loop;
  auto child = loop.fork_script("exec 3>&-; " + forever);
  child.on<"disconnect">([&] { child.stop(); });
  loop.run();
  CHECK(child.signal_code() == SIGTERM);
}

TEST_CASE("stop: a step that cannot be taken is skipped at once", "[process]") {
  TestLoop loop;
  auto child = loop.fork_script(forever);
  const bool connected = GENERATE(true, false);
  const StopStep impossible = connected
                                  ? StopStep::message("\xFF", 1h)
                                  : GENERATE(StopStep::message("bye", 1h), StopStep::disconnect(1h),
                                             StopStep::request("bye", 1h));
  if (!connected) child.disconnect();
  child.stop({.steps = {impossible, StopStep::signal(100'000, 1h), StopStep::signal(SIGHUP, 1h)}});
  loop.run();
  CHECK(child.signal_code() == SIGHUP);
}

TEST_CASE("stop: a child that ignores every step is killed", "[process]") {
  TestLoop loop;
  auto child = loop.fork_script(stubborn);
  child.on<"message">([&] {
    child.stop({.steps = {StopStep::message("bye", 1ms), StopStep::disconnect(1ms),
                          StopStep::signal(SIGTERM, 1ms)}});
  });
  loop.run();
  CHECK(child.signal_code() == SIGKILL);
}

TEST_CASE("stop: without steps the child is killed at once", "[process]") {
  TestLoop loop;
  auto child = loop.fork("echo");
  child.stop({.steps = {}});
  loop.run();
  CHECK(child.signal_code() == SIGKILL);
}

TEST_CASE("stop: a stopped child is killed too", "[process]") {
  TestLoop loop;
  auto child = loop.fork("echo");
  child.on<"message">([&] {
    child.kill(SIGSTOP);
    child.stop({.steps = {StopStep::disconnect(1ms), StopStep::signal(SIGTERM, 1ms)}});
  });
  child.send(1);
  loop.run();
  CHECK(child.signal_code() == SIGKILL);
}

TEST_CASE("stop: a further call begins anew", "[process]") {
  TestLoop loop;
  auto child = loop.fork_script(stubborn);
  child.on<"message">([&] {
    child.stop({.steps = {StopStep::disconnect(1h)}});
    child.stop({.steps = {StopStep::signal(SIGTERM, 1ms)}});
  });
  loop.run();
  CHECK(child.signal_code() == SIGKILL);
  child.stop();  // does nothing, because the child has ended
}

TEST_CASE("stop: descendants are killed too if that is wanted", "[process]") {
  const bool tree = GENERATE(false, true);
  TestLoop loop;
  const Subreaper subreaper;
  int grandchild = 0;
  auto child = loop.fork_script("trap '' TERM; tail -f /dev/null & echo $! >&3; wait");
  child.on<"message">([&](int pid) {
    grandchild = pid;
    child.stop({.steps = {StopStep::signal(SIGTERM, 1ms)}, .tree = tree});
  });
  loop.run();
  CHECK(child.signal_code() == SIGKILL);
  REQUIRE(grandchild > 0);
  CHECK(::kill(grandchild, tree ? 0 : SIGHUP) == 0);
  CHECK(signal_that_ended(grandchild) == (tree ? SIGKILL : SIGHUP));
}

TEST_CASE("stop: an empty handle and an ended child are left alone", "[process]") {
  tine::ChildProcess().stop();
  TestLoop loop;
  auto child = tine::fork(loop, "/nonexistent");
  child.on<"error">([](const tine::Error&) {});
  child.stop();
  loop.run();
  child.stop();
  CHECK_FALSE(StopStep::signal(SIGTERM, 1s).take({}));
  CHECK_FALSE(StopStep::disconnect(1s).take({}));
  CHECK_FALSE(StopStep::message(1, 1s).take({}));
  CHECK_FALSE(StopStep::request("bye", 1s).take({}));
}
