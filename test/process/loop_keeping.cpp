// Tests what keeps the loop running for a child that should end, and which processes its signals
// reach.
#include <csignal>
#include <fstream>
#include <string>
#include <thread>

#include <sys/wait.h>

#include "spawn/subprocess.hpp"
#include "support/catch.hpp"
#include "support/folder.hpp"
#include "support/subreaper.hpp"
#include "support/test_loop.hpp"

using namespace std::chrono_literals;

namespace {

void await_reaped(int pid) {
  while (::kill(pid, 0) == 0) std::this_thread::yield();
}

}  // namespace

TEST_CASE("timeout: it does not keep the loop running", "[process]") {
  TestLoop loop;
  auto child = loop.fork_script("exec tail -f /dev/null", {.timeout = 1h, .kill_with_loop = true});
  child.unref();
  child.channel().unref();
  loop.run();
  CHECK_FALSE(child.exit_status());
  const int pid = child.pid().value();
  loop.destroy();
  await_reaped(pid);
}

TEST_CASE("stop: its deadline does not keep the loop running", "[process]") {
  TestLoop loop;
  auto child = loop.fork_script("exec tail -f /dev/null", {.kill_with_loop = true});
  child.unref();
  child.stop({.deadline = 1h});
  loop.run();
  CHECK_FALSE(child.exit_status());
  const int pid = child.pid().value();
  loop.destroy();
  await_reaped(pid);
}

TEST_CASE("kill_tree: a group whose leader has exited is left alone, even before the exit event",
          "[process]") {
  if (!tine::spawn::Subprocess::does_all()) return;
  const Subreaper subreaper;
  const Folder folder;
  TestLoop loop;
  auto child = loop.fork_script("tail -f /dev/null & echo $! >\"$0\"",
                                {.args = {folder.at("pid")}, .own_group = true});
  siginfo_t exited;
  const auto leader = static_cast<id_t>(child.pid().value());
  REQUIRE(waitid(P_PID, leader, &exited, WEXITED | WNOWAIT) == 0);
  int survivor = 0;
  std::ifstream(folder.at("pid")) >> survivor;
  REQUIRE(survivor > 0);
  CHECK_FALSE(child.kill_tree());
  CHECK(waitpid(survivor, nullptr, WNOHANG) == 0);
  ::kill(survivor, SIGKILL);
  CHECK(waitpid(survivor, nullptr, 0) == survivor);
  loop.run();
  CHECK(child.exit_code() == 0);
}
