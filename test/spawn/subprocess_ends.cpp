// Tests how the end of a program is reported, whatever else happens in the process meanwhile.
#include <atomic>
#include <cerrno>
#include <csignal>
#include <deque>
#include <functional>
#include <thread>

#include <linux/sched.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <uv.h>

#include "spawn/run_program.hpp"
#include "support/scale.hpp"
#include "support/signal_action.hpp"

namespace {

std::atomic<int> signals = 0;

// Forks a process that gets this pid. Returns the pid, or -1 if that is not possible.
int fork_with_pid(int pid) {
  clone_args args{};
  args.exit_signal = SIGCHLD;
  args.set_tid = reinterpret_cast<std::uintptr_t>(&pid);
  args.set_tid_size = 1;
  const long result = syscall(SYS_clone3, &args, sizeof args);
  while (result == 0) syscall(SYS_pause);
  return static_cast<int>(result);
}

}  // namespace

TEST_CASE("subprocess: exit code, signal and usage are reported", "[subprocess]") {
  TestLoop loop;
  Running exited(loop, script("exit 7"));
  Running killed(loop, script("kill -SEGV $$"));
  loop.run();
  CHECK(exited.code() == 7);
  CHECK(exited.usage()->ru_minflt > 0);
  CHECK(killed.signal() == SIGSEGV);
  CHECK_FALSE(exited->kill(SIGTERM));
}

TEST_CASE("subprocess: its peak memory is reported if it is more than ours", "[subprocess]") {
  constexpr std::size_t much = 64 << 20;
  const std::vector<char> ours(much, 'x');
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const long more = used.ru_maxrss + 16384;  // KiB
  TestLoop loop;
  Running small(loop, script("exit 0"));
  Running large(
      loop,
      script("dd if=/dev/zero of=/dev/null count=1 status=none bs=" + std::to_string(more) + "K"));
  loop.run();
  CHECK(ours.back() == 'x');
  CHECK(small.usage()->ru_maxrss == 0);
  CHECK(large.code() == 0);
  CHECK(large.usage()->ru_maxrss > more);
  CHECK(large.usage()->ru_maxrss < more + 8192);
}

TEST_CASE("subprocess: kill() reaches it until it has exited", "[subprocess]") {
  const Way way(GENERATE(false, true));
  TestLoop loop;
  Running running(loop, script("exec tail -f /dev/null"));
  CHECK(running->kill(0));
  CHECK_FALSE(running->kill(12345));
  CHECK(running->kill(SIGKILL));
  loop.run();
  CHECK(running.signal() == SIGKILL);
  CHECK_FALSE(running->kill(0));
}

TEST_CASE("subprocess: kill() does not reach it after its exit, even before the report",
          "[subprocess]") {
  const Way way(GENERATE(false, true));
  TestLoop loop;
  Running running(loop, script("exit 3"));
  siginfo_t exited;
  REQUIRE(waitid(P_PID, static_cast<id_t>(running->pid()), &exited, WEXITED | WNOWAIT) == 0);
  CHECK_FALSE(running->kill(SIGKILL));
  loop.run();
  CHECK(running.code() == 3);
}

TEST_CASE("subprocess: if other code waits for it, its end is unknown", "[subprocess]") {
  TestLoop loop;
  Running one(loop, script("exit 3"));
  Running other(loop, script("exit 4"));
  int status = 0;
  while (waitpid(-1, &status, 0) > 0) {
  }
  CHECK_FALSE(one->kill(SIGKILL));
  loop.run();
  CHECK_FALSE(one.known());
  CHECK_FALSE(other.known());
}

TEST_CASE("subprocess: if SIGCHLD is ignored, its end is unknown", "[subprocess]") {
  const SignalAction action(SIGCHLD, SIG_IGN);
  TestLoop loop;
  Running running(loop, script("exit 3"));
  loop.run();
  CHECK_FALSE(running.known());
  CHECK_THROWS_AS(Running(loop,
                          [] {
                            SubprocessOptions options;
                            options.args = {"/nonexistent"};
                            return options;
                          }()),
                  SpawnError);
}

TEST_CASE("subprocess: if other code has reaped it, kill() does not reach a process with its pid",
          "[subprocess]") {
  TestLoop loop;
  Running running(loop, script("exit 3"));
  REQUIRE(waitpid(running->pid(), nullptr, 0) == running->pid());
  const int stranger = fork_with_pid(running->pid());
  if (stranger < 0) WARN("a pid cannot be chosen here");
  CHECK_FALSE(running->kill(SIGKILL));
  loop.run();
  CHECK_FALSE(running.known());
  if (stranger < 0) return;
  CHECK(waitpid(stranger, nullptr, WNOHANG) == 0);
  CHECK(kill(stranger, SIGKILL) == 0);
  CHECK(waitpid(stranger, nullptr, 0) == stranger);
}

TEST_CASE("subprocess: a SIGCHLD handler of the application stays, and is called", "[subprocess]") {
  signals = 0;
  const auto count = [](int) { ++signals; };
  const SignalAction action(SIGCHLD, count);
  TestLoop loop;
  Running running(loop, script("exit 3"));
  loop.run();
  CHECK(running.code() == 3);
  CHECK(signals > 0);
  struct sigaction now {};
  sigaction(SIGCHLD, nullptr, &now);
  CHECK(now.sa_handler == static_cast<void (*)(int)>(count));
}

TEST_CASE("subprocess: other code may use uv_spawn on the same loop", "[subprocess]") {
  TestLoop loop;
  ExpectCalls called(10);
  std::deque<Running> ours;
  for (int i = 0; i < 10; ++i) {
    ours.emplace_back(loop, script("exit 3"));
    char sh[] = "/bin/sh";
    char c[] = "-c";
    char text[] = "exit 4";
    char* args[] = {sh, c, text, nullptr};
    uv_process_options_t options{};
    options.file = sh;
    options.args = args;
    options.exit_cb = [](uv_process_t* process, std::int64_t code, int) {
      CHECK(code == 4);
      (*static_cast<ExpectCalls*>(process->data))();
      uv_close(reinterpret_cast<uv_handle_t*>(process),
               [](uv_handle_t* handle) { delete reinterpret_cast<uv_process_t*>(handle); });
    };
    auto* const process = new uv_process_t;
    process->data = &called;
    CHECK(uv_spawn(loop->native(), process, &options) == 0);
  }
  loop.run();
  for (const Running& running : ours) CHECK(running.code() == 3);
}

TEST_CASE("subprocess: a storm of signals disturbs neither its start nor its end", "[subprocess]") {
  signals = 0;
  const SignalAction action(SIGALRM, [](int) { ++signals; });
  const int count = scaled(50, 1000);
  TestLoop loop;
  SubprocessOptions missing = script("exit 0");
  missing.file = "/nonexistent";
  const itimerval often{{0, 200}, {0, 200}};
  setitimer(ITIMER_REAL, &often, nullptr);
  std::deque<Running> all;
  for (int i = 0; i < count; ++i) {
    all.emplace_back(loop, script("exit 3"));
    CHECK_THROWS_AS(Running(loop, missing), SpawnError);
    if (i % 10 == 0) loop.run();
  }
  loop.run();
  const itimerval never{};
  setitimer(ITIMER_REAL, &never, nullptr);
  CHECK(signals > 0);
  for (const Running& running : all) CHECK(running.code() == 3);
}

TEST_CASE("subprocess: a thousand programs, fifty at a time, leave nothing behind",
          "[subprocess]") {
  const Way way(GENERATE(false, true));
  const int count = scaled(100, 1000);
  TestLoop loop;
  std::deque<std::unique_ptr<Subprocess>> running;
  int started = 0;
  int ended = 0;
  std::function<void()> start = [&] {
    if (started == count) return;
    ++started;
    running.push_back(
        Subprocess::start(tine::core_of(loop), script("exit 0"), [&](const SubprocessExit& exit) {
          CHECK(exit.known);
          ++ended;
          start();
        }));
  };
  for (int i = 0; i < 50; ++i) start();
  loop.run();
  CHECK(ended == count);
}

TEST_CASE("subprocess: several threads may start programs at the same time", "[subprocess]") {
  const TestLoop checked_at_the_end;
  constexpr int threads = 4;
  const int count = scaled(25, 250);
  std::atomic<int> right = 0;
  std::vector<std::thread> starters;
  for (int thread = 0; thread < threads; ++thread) {
    starters.emplace_back([&, thread] {
      tine::Loop loop;
      for (int i = 0; i < count; ++i) {
        auto subprocess = Subprocess::start(
            tine::core_of(loop), script("exit " + std::to_string(thread)),
            [&](const SubprocessExit& exit) { right += exit.known && exit.code == thread; });
        loop.run();
      }
    });
  }
  for (auto& starter : starters) starter.join();
  CHECK(right == threads * count);
}
