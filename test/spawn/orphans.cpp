// Programs whose parent is gone, and programs whose loop is gone.
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

#include "spawn/clone_child.hpp"
#include "spawn/reaper.hpp"
#include "support/catch.hpp"

namespace {

std::set<int> threads() {
  std::set<int> ids;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
    ids.insert(std::stoi(entry.path().filename()));
  }
  return ids;
}

bool blocks(int thread, int signal) {
  std::ifstream status("/proc/self/task/" + std::to_string(thread) + "/status");
  std::string line;
  while (std::getline(status, line) && !line.starts_with("SigBlk:")) {
  }
  REQUIRE(line.starts_with("SigBlk:"));
  return (std::stoull(line.substr(7), nullptr, 16) >> (signal - 1) & 1) != 0;
}

// Starts a program with run_child(), and returns its exit code. If `parent_is_gone`, the plan names
// another process as the parent, as if the parent had ended.
int code_of_child(bool parent_is_gone) {
  const pid_t pid = fork();
  if (pid == 0) {
    const char* const candidates[] = {"/bin/true", "/usr/bin/true", nullptr};
    char name[] = "true";
    char* const args[] = {name, nullptr};
    char* const env[] = {nullptr};
    tine::spawn::ChildProgress progress;
    tine::spawn::ChildPlan plan;
    plan.progress = &progress;
    plan.candidates = candidates;
    plan.args = args;
    plan.env = env;
    plan.parent = parent_is_gone ? getpid() : getppid();
    plan.parent_death_signal = SIGKILL;
    tine::spawn::run_child(&plan);
  }
  int status = 0;
  REQUIRE(waitpid(pid, &status, 0) == pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE("clone child: a program that must die with its parent does not run if the parent is gone",
          "[subprocess]") {
  CHECK(code_of_child(false) == 0);
  CHECK(code_of_child(true) == 127);
}

TEST_CASE("reaper: its thread blocks the program's signals", "[subprocess]") {
  static auto* const reaper = new tine::spawn::Reaper;  // its thread may outlive the test
  const pid_t child = fork();
  if (child == 0) {
    for (;;) pause();
  }
  const auto before = threads();
  reaper->take(child);
  int its_threads = 0;
  for (const int thread : threads()) {
    if (before.contains(thread)) continue;
    ++its_threads;
    for (const int signal : {SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGALRM, SIGCHLD}) {
      CHECK(blocks(thread, signal));
    }
    CHECK_FALSE(blocks(getpid(), SIGUSR1));
  }
  CHECK(its_threads == 1);
  kill(child, SIGKILL);
  while (kill(child, 0) == 0) std::this_thread::yield();  // until the child is reaped
}
