// Runs the scenario with each fault at the first call, at the second, and so on, until the function
// is not called that often.
//
//   sweep [--all] [--without FUNCTION | --only FUNCTION]
//
// Without --all, about every tenth call fails. Prints a line for each fault. Stops at the first run
// that goes wrong, shows how to repeat it, and exits with 1.
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

// The deadline of one run of the scenario, which normally takes a fraction of a second.
constexpr std::chrono::seconds deadline{60};

// How many runs with one fault may end in std::terminate(). nlohmann's destructor calls it, for
// values that are left at the end of a run.
constexpr int most_terminated = 2;

struct Fault {
  const char* side;
  const char* scene;
  const char* what;  // FUNCTION:OUTCOME, to be swept; or a single fault FUNCTION:OUTCOME:WHEN
};

constexpr Fault faults[] = {
    {"parent", "large", "read:half:/1"},
    {"child", "large", "read:half:/1"},
    {"parent", "small", "read:byte:/1"},
    {"child", "small", "read:byte:/1"},
    {"parent", "large", "read:EINTR:/2"},
    {"child", "large", "read:EINTR:/2"},
    {"parent", "large", "read:EAGAIN:/2"},
    {"child", "large", "read:EAGAIN:/2"},
    {"parent", "large", "write:half:/1"},
    {"child", "large", "write:half:/1"},
    {"parent", "small", "write:byte:/1"},
    {"child", "small", "write:byte:/1"},
    {"parent", "large", "write:EINTR:/2"},
    {"child", "large", "write:EINTR:/2"},
    {"parent", "large", "write:EAGAIN:/2"},
    {"child", "large", "write:EAGAIN:/2"},
    {"parent", "large", "write:ENOBUFS:/2"},
    {"child", "large", "write:ENOBUFS:/2"},
    {"parent", "large", "epoll_wait:EINTR:/2"},
    {"child", "large", "epoll_wait:EINTR:/2"},
    {"child", "leave", "write:half:/1"},
    {"child", "leave", "write:byte:/1"},
    {"child", "leave", "write:EINTR:/2"},
    {"child", "leave", "write:EAGAIN:/2"},
    {"child", "leave", "poll:EINTR:/2"},

    {"parent", "large", "read:EAGAIN"},
    {"child", "large", "read:EAGAIN"},
    {"parent", "large", "read:half"},
    {"child", "large", "read:half"},
    {"parent", "large", "read:EIO"},
    {"child", "large", "read:EIO"},
    {"parent", "large", "read:ECONNRESET"},
    {"child", "large", "read:ECONNRESET"},
    {"parent", "large", "write:EAGAIN"},
    {"child", "large", "write:EAGAIN"},
    {"parent", "large", "write:ENOBUFS"},
    {"child", "large", "write:ENOBUFS"},
    {"parent", "large", "write:half"},
    {"child", "large", "write:half"},
    {"parent", "large", "write:EIO"},
    {"child", "large", "write:EIO"},
    {"parent", "large", "write:EPIPE"},
    {"child", "large", "write:EPIPE"},
    {"parent", "large", "write:ECONNRESET"},
    {"child", "large", "write:ECONNRESET"},
    {"parent", "large", "epoll_wait:EINTR"},
    {"child", "large", "epoll_wait:EINTR"},
    {"child", "leave", "write:EPIPE"},
    {"child", "leave", "poll:EINTR"},

    {"parent", "small", "epoll_create1:EMFILE"},
    {"child", "small", "epoll_create1:EMFILE"},
    {"parent", "small", "eventfd:EMFILE"},
    {"child", "small", "eventfd:EMFILE"},
    {"parent", "small", "pipe2:EMFILE"},
    {"child", "small", "pipe2:ENFILE"},
    {"parent", "small", "socketpair:EMFILE"},
    {"parent", "small", "socketpair:ENFILE"},
    {"parent", "small", "epoll_ctl:ENOMEM"},
    {"parent", "small", "clone:EAGAIN"},
    {"parent", "small", "clone:ENOMEM"},
    {"parent", "small", "clone:EMFILE"},
    {"parent", "small", "dup3:EBUSY"},
    {"parent", "small", "execve:ENOMEM"},
    {"parent", "small", "waitid:EINTR"},

    {"parent", "small", "malloc:ENOMEM"},
    {"child", "small", "malloc:ENOMEM"},
    {"child", "leave", "malloc:ENOMEM"},

    {"parent", "requests", "read:byte:/1"},
    {"child", "requests", "read:byte:/1"},
    {"parent", "requests", "write:byte:/1"},
    {"child", "requests", "write:byte:/1"},
    {"parent", "requests", "read:EINTR:/2"},
    {"child", "requests", "read:EINTR:/2"},
    {"parent", "requests", "write:EAGAIN:/2"},
    {"child", "requests", "write:EAGAIN:/2"},
    {"parent", "tasks", "read:byte:/1"},
    {"child", "tasks", "read:byte:/1"},
    {"parent", "tasks", "write:byte:/1"},
    {"child", "tasks", "write:byte:/1"},
    {"parent", "tasks", "read:EINTR:/2"},
    {"child", "tasks", "read:EINTR:/2"},
    {"parent", "tasks", "write:EAGAIN:/2"},
    {"child", "tasks", "write:EAGAIN:/2"},
    {"parent", "requests", "read:EIO"},
    {"child", "requests", "read:EIO"},
    {"parent", "requests", "write:EPIPE"},
    {"child", "requests", "write:EPIPE"},
    {"parent", "requests", "write:EAGAIN"},
    {"child", "requests", "write:EAGAIN"},
    {"parent", "requests", "malloc:ENOMEM"},
    {"child", "requests", "malloc:ENOMEM"},
    {"parent", "tasks", "read:EIO"},
    {"child", "tasks", "read:EIO"},
    {"parent", "tasks", "write:EPIPE"},
    {"child", "tasks", "write:EPIPE"},
    {"parent", "tasks", "write:EAGAIN"},
    {"child", "tasks", "write:EAGAIN"},
    {"parent", "tasks", "malloc:ENOMEM"},
    {"child", "tasks", "malloc:ENOMEM"},
};

std::filesystem::path beside(const char* name) {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / name;
}

struct Run {
  std::string shim = beside("libfault_shim.so");
  std::string scenario = beside("scenario");
  std::string side, scene, fault;

  pid_t start() const;
  std::string by_hand() const;
};

std::string Run::by_hand() const {
  return "LD_PRELOAD=" + shim + " " + scenario + " " + side + " " + scene + " " + fault;
}

// Starts the scenario in its own process group, so that all of it can be killed.
pid_t Run::start() const {
  const pid_t pid = fork();
  if (pid != 0) return pid;
  setpgid(0, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  setenv("LD_PRELOAD", shim.c_str(), 1);
  execl(scenario.c_str(), scenario.c_str(), side.c_str(), scene.c_str(), fault.c_str(), nullptr);
  _exit(127);
}

// Waits for a child to end. Returns its pid, 0 if none ends in time, -1 if there is none.
pid_t wait_for_child(int& status, std::chrono::steady_clock::time_point until) {
  sigset_t child_signal;
  sigemptyset(&child_signal);
  sigaddset(&child_signal, SIGCHLD);
  for (;;) {
    const pid_t ended = waitpid(-1, &status, WNOHANG);
    if (ended != 0) return ended;
    const auto left =
        std::chrono::duration_cast<std::chrono::seconds>(until - std::chrono::steady_clock::now());
    if (left.count() <= 0) return 0;
    const timespec limit{.tv_sec = left.count(), .tv_nsec = 0};
    sigtimedwait(&child_signal, nullptr, &limit);
  }
}

std::string describe(int status) {
  if (WIFSIGNALED(status)) return std::string("it was ended by ") + strsignal(WTERMSIG(status));
  return "it ended with code " + std::to_string(WEXITSTATUS(status));
}

enum class Result { held, terminated, untouched };

// Waits for the scenario and for all processes that it has started.
Result finish(const Run& run, pid_t pid) {
  const auto until = std::chrono::steady_clock::now() + deadline;
  int result = -1;
  int status = 0;
  for (pid_t ended = 1; (ended = wait_for_child(status, until)) != -1;) {
    if (ended == pid) result = status;
    if (ended != 0) continue;
    kill(-pid, SIGKILL);
    std::printf("WRONG: it, or a child of it, is still there after %d s\n  %s\n",
                static_cast<int>(deadline.count()), run.by_hand().c_str());
    std::exit(1);
  }
  if (WIFEXITED(result)) {
    switch (WEXITSTATUS(result)) {
      case 0: return Result::held;
      case 3: return Result::terminated;
      case 77: return Result::untouched;
    }
  }
  std::printf("WRONG: %s\n  %s\n", describe(result).c_str(), run.by_hand().c_str());
  std::exit(1);
}

struct Tally {
  int points = 0;
  int terminated = 0;
  int calls = 0;  // approximate
};

// Each of the first few calls is made to fail, because everything begins there.
int next_call(int call, bool all) { return all || call < 4 ? call + 1 : call + 10; }

Tally sweep(const Fault& fault, bool all) {
  Tally tally;
  const std::string_view what = fault.what;
  const bool single = what.find(':') != what.rfind(':');
  Run run{.side = fault.side, .scene = fault.scene, .fault = fault.what};
  for (int call = 1;; call = next_call(call, all)) {
    if (!single) run.fault = fault.what + (":" + std::to_string(call));
    std::fflush(stdout);
    const Result result = finish(run, run.start());
    if (result == Result::untouched) return tally;
    ++tally.points;
    tally.calls = call;
    if (result == Result::terminated) ++tally.terminated;
    if (single) return tally;
  }
}

void print(const Tally& tally, std::chrono::steady_clock::duration took) {
  const double seconds = std::chrono::duration<double>(took).count();
  std::printf("%5d points of %5d", tally.points, tally.calls);
  if (tally.terminated > 0) std::printf(", %d by std::terminate", tally.terminated);
  std::printf("  %.1f s\n", seconds);
}

}  // namespace

int main(int argc, char** argv) {
  bool all = false;
  std::string_view only;
  std::string_view without = "nothing";
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--all") == 0) all = true;
    if (std::strcmp(argv[i], "--without") == 0 && i + 1 < argc) without = argv[++i];
    if (std::strcmp(argv[i], "--only") == 0 && i + 1 < argc) only = argv[++i];
  }

  // Orphans become children of this process, so that finish() sees processes that are left.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  sigset_t child_signal;
  sigemptyset(&child_signal);
  sigaddset(&child_signal, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child_signal, nullptr);

  for (const Fault& fault : faults) {
    const std::string_view what = fault.what;
    if (what.starts_with(without) || !what.starts_with(only)) continue;
    std::printf("%-6s  %-8s  %-22s ", fault.side, fault.scene, fault.what);
    const auto start = std::chrono::steady_clock::now();
    const Tally tally = sweep(fault, all);
    print(tally, std::chrono::steady_clock::now() - start);
    if (tally.terminated > most_terminated) {
      std::printf("WRONG: more than %d ended by std::terminate\n", most_terminated);
      return 1;
    }
    if (tally.points == 0) {
      std::printf("WRONG: the function is never called\n");
      return 1;
    }
  }
}
