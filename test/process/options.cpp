// Tests how a child is started, and with which options.
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spawn/subprocess.hpp"
#include "support/catch.hpp"
#include "support/subreaper.hpp"
#include "support/test_loop.hpp"

using namespace std::chrono_literals;
using nlohmann::json;
using Log = std::vector<std::string>;

namespace {

constexpr unsigned nobody = 65534;
const std::string forever = "exec tail -f /dev/null";

// Runs a script in a child, and returns the message that it sends.
json message_of_script(TestLoop& loop, const std::string& script, tine::ForkOptions options = {}) {
  json answer;
  auto child = loop.fork_script(script, std::move(options));
  child.on<"message">([&](json message) { answer = std::move(message); });
  loop.run();
  CHECK(child.exit_code() == 0);
  return answer;
}

// Forks a child that cannot be started, and returns its error. The child emits one "error", then
// "close".
tine::Error refusal(TestLoop& loop, tine::ForkOptions options) {
  Log log;
  std::optional<tine::Error> refused;
  auto child = loop.fork_script("exit 0", std::move(options));
  child.on<"error">([&](const tine::Error& error) {
    refused = error;
    log.emplace_back("error");
  });
  child.on<"exit">([&] { log.emplace_back("exit"); });
  child.on<"close">([&] { log.emplace_back("close"); });
  CHECK_FALSE(child.pid());
  CHECK_FALSE(child.connected());
  loop.run();
  CHECK(log == Log{"error", "close"});
  return refused.value();
}

// Returns how many times a process has gone to sleep voluntarily.
long sleeps_of(int pid) {
  const std::string name = "voluntary_ctxt_switches:";
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name)) return std::stol(line.substr(name.size()));
  }
  return -1;
}

bool only_uv_spawn() { return !tine::spawn::Subprocess::does_all(); }

}  // namespace

TEST_CASE("fork: the program finds argv0 as its own name", "[process]") {
  TestLoop loop;
  const std::string program = test_program("report").string();
  auto child = tine::fork(loop, program, {.args = {"one"}, .argv0 = "another name"});
  json args;
  child.on<"message">([&](const json& message) { args = message["args"]; });
  loop.run();
  CHECK((args == json{"another name", "one"}));
  CHECK(child.spawn_file() == program);
  CHECK(child.spawn_args() == std::vector<std::string>{"another name", "one"});
}

TEST_CASE("fork: invalid options are refused by name", "[process]") {
  using tine::Errc;
  using tine::Stdio;
  using namespace std::string_literals;
  struct Wrong {
    tine::ForkOptions options;
    Errc error;
    std::string text;
  };
  const auto wrong = GENERATE(values<Wrong>({
      {{.args = {"a", "b\0c"s}}, Errc::invalid_argument, "argv["},
      {{.argv0 = "a\0"s}, Errc::invalid_argument, "argv[0]"},
      {{.cwd = "/tmp\0"s}, Errc::invalid_argument, "cwd"},
      {{.env = {{"A", "b\0"s}}}, Errc::invalid_argument, "env[\"A\"]"},
      {{.env = {{"A=B", "c"}}}, Errc::invalid_argument, "env"},
      {{.env = {{"", "c"}}}, Errc::invalid_argument, "env"},
      {{.stdio = {Stdio::ipc(), Stdio::ignore(), Stdio::inherit(), Stdio::ipc()}},
       Errc::ipc_one_pipe,
       "ERR_IPC_ONE_PIPE"},
      {{.stdio = {Stdio::inherit(), Stdio::inherit(), Stdio::inherit()}},
       Errc::ipc_required,
       "ERR_CHILD_PROCESS_IPC_REQUIRED"},
      {{.stdio = {Stdio::ipc(), Stdio::descriptor(-1)}}, Errc::invalid_argument, "stdio[1]"},
      {{.stdio = {Stdio::ipc()}, .silent = true}, Errc::invalid_argument, "silent"},
      {{.nice = 20}, Errc::out_of_range, "nice"},
      {{.timeout = -1ms}, Errc::out_of_range, "timeout"},
      {{.kill_signal = 0}, Errc::unknown_signal, "kill_signal"},
      {{.kill_signal = 1000}, Errc::unknown_signal, "ERR_UNKNOWN_SIGNAL"},
      {{.parent_death_signal = -1}, Errc::unknown_signal, "parent_death_signal"},
  }));
  TestLoop loop;
  const tine::Error error = refusal(loop, wrong.options);
  CHECK(error.code() == wrong.error);
  CHECK_THAT(error.what(), ContainsSubstring(wrong.text) && StartsWith("fork /bin/sh: "));
}

TEST_CASE("fork: if the system refuses an option, the error has the errno and the program",
          "[process]") {
  struct Refused {
    tine::ForkOptions options;
    int error;
  };
  const auto refused = GENERATE(values<Refused>({
      {{.stdio = {tine::Stdio::ipc(), tine::Stdio::descriptor(1'000'000)}}, EBADF},
      {{.uid = ~0U}, EINVAL},
      {{.cwd = "/nonexistent"}, ENOENT},
  }));
  TestLoop loop;
  if (only_uv_spawn() && refused.options.uid) return;  // uv_spawn() does not check it
  const tine::Error error = refusal(loop, refused.options);
  CHECK(error.code() == std::error_code(refused.error, std::generic_category()));
  CHECK_THAT(error.what(), StartsWith("spawn /bin/sh"));
}

TEST_CASE("fork: an option that the system does not support is an error", "[process]") {
  const auto options = GENERATE(values<tine::ForkOptions>(
      {{.own_group = true}, {.nice = 1}, {.parent_death_signal = SIGTERM}}));
  TestLoop loop;
  if (!only_uv_spawn()) return;
  CHECK(refusal(loop, options).code() == std::errc::not_supported);
}

TEST_CASE("fork: detached makes a session, own_group makes a process group", "[process]") {
  const std::string groups = R"(read -r _ _ _ _ group session _ < /proc/$$/stat
                                printf '[%d,%d,%d]\n' $$ "$group" "$session" >&3)";
  TestLoop loop;
  const json as_usual = message_of_script(loop, groups);
  CHECK(as_usual[1] == getpgrp());
  CHECK(as_usual[2] == getsid(0));
  const json detached = message_of_script(loop, groups, {.detached = true});
  CHECK(detached[1] == detached[0]);
  CHECK(detached[2] == detached[0]);
  if (only_uv_spawn()) return;
  const json own_group = message_of_script(loop, groups, {.own_group = true});
  CHECK(own_group[1] == own_group[0]);
  CHECK(own_group[2] == getsid(0));
}

TEST_CASE("row 55: uid and gid leave no privileges and no groups", "[rows]") {
  if (geteuid() != 0) return;
  TestLoop loop;
  const json ids =
      message_of_script(loop, R"(printf '[%s]\n' "$(id -u),$(id -g),\"$(id -G)\"" >&3)",
                        {.uid = nobody, .gid = nobody});
  CHECK((ids == json{nobody, nobody, std::to_string(nobody)}));
}

TEST_CASE("row 55: without the privilege to change ids the program is not started", "[rows]") {
  if (geteuid() != 0) return;
  REQUIRE(seteuid(nobody) == 0);
  {
    TestLoop loop;
    CHECK(refusal(loop, {.uid = 0}).code() == std::errc::operation_not_permitted);
  }
  REQUIRE(seteuid(0) == 0);
}

TEST_CASE("fork: limits and nice apply to the child only", "[process]") {
  TestLoop loop;
  if (only_uv_spawn()) return;
  const int own_nice = getpriority(PRIO_PROCESS, 0);
  const auto enough = static_cast<rlim_t>(open_descriptors().rbegin()->first) + 50;
  const json values = message_of_script(loop, "printf '[%d,%d]\\n' $(ulimit -n) $(nice) >&3",
                                        {.limits = {{RLIMIT_NOFILE, enough, enough}}, .nice = 19});
  CHECK((values == json{enough, 19}));
  CHECK(getpriority(PRIO_PROCESS, 0) == own_nice);
}

TEST_CASE("fork: after its timeout a child gets kill_signal", "[process]") {
  TestLoop loop;
  const int signal = GENERATE(SIGTERM, SIGKILL);
  auto child = loop.fork_script(forever, {.timeout = 20ms, .kill_signal = signal});
  loop.run();
  CHECK(child.signal_code() == signal);
  CHECK_FALSE(child.exit_code());
  CHECK(child.killed());
}

TEST_CASE("fork: a child that ends in time is not killed, and leaves no timer", "[process]") {
  TestLoop loop;
  auto child = loop.fork_script("exit 3", {.timeout = 1h});
  loop.run();
  CHECK(child.exit_code() == 3);
  CHECK_FALSE(child.signal_code());
  CHECK_FALSE(child.killed());
}

TEST_CASE("fork: a requested stop ends the child, with an error", "[process]") {
  const std::string when =
      GENERATE(as<std::string>{}, "before", "on another thread", "in a listener");
  TestLoop loop;
  std::stop_source source;
  std::thread thread;
  Log log;
  if (when == "before") source.request_stop();
  auto child = loop.fork_script("echo 1 >&3; " + forever,
                                {.stop = source.get_token(), .kill_signal = SIGINT});
  child.on<"error">([&](const tine::Error& error) {
    CHECK(error.code() == tine::Errc::aborted);
    log.emplace_back("error");
  });
  child.on<"message">([&] {
    if (when == "on another thread") thread = std::thread([&] { source.request_stop(); });
    if (when == "in a listener") source.request_stop();
  });
  child.on<"close">([&] { log.emplace_back("close"); });
  loop.run();
  if (thread.joinable()) thread.join();
  CHECK(log == Log{"error", "close"});
  CHECK(child.signal_code() == SIGINT);
}

TEST_CASE("fork: a stop that is requested after the end does nothing", "[process]") {
  TestLoop loop;
  std::stop_source source;
  auto child = loop.fork_script("exit 0", {.stop = source.get_token()});
  loop.run();
  CHECK(child.exit_code() == 0);
  source.request_stop();
  loop.run();
}

TEST_CASE("fork: a stop that is requested after the loop's end does nothing", "[process]") {
  TestLoop loop;
  std::stop_source source;
  auto child = loop.fork_script(forever, {.stop = source.get_token()});
  const int pid = child.pid().value();
  loop.destroy();
  source.request_stop();
  CHECK(::kill(pid, SIGKILL) == 0);
  while (::kill(pid, 0) == 0) std::this_thread::yield();  // until the child is reaped
}

TEST_CASE("fork: a child dies with the thread that forked it, unless an option prevents it",
          "[process]") {
  TestLoop loop;
  if (only_uv_spawn()) return;
  tine::ChildProcess usual;
  tine::ChildProcess other;
  tine::ChildProcess free;
  tine::ChildProcess detached;
  std::thread([&] {
    usual = loop.fork_script(forever);
    other = loop.fork_script(forever, {.parent_death_signal = SIGHUP});
    free = loop.fork_script(forever, {.parent_death_signal = 0});
    detached = loop.fork_script(forever, {.detached = true});
  }).join();
  int ended = 0;
  const auto kill_others = [&] {
    if (++ended < 2) return;
    CHECK(free.kill(SIGINT));
    CHECK(detached.kill(SIGINT));
  };
  usual.on<"exit">(kill_others);
  other.on<"exit">(kill_others);
  loop.run();
  CHECK(usual.signal_code() == SIGKILL);
  CHECK(other.signal_code() == SIGHUP);
  CHECK(free.signal_code() == SIGINT);
  CHECK(detached.signal_code() == SIGINT);
}

TEST_CASE("fork: a child dies with a parent that is killed", "[process]") {
  TestLoop loop;
  if (only_uv_spawn()) return;
  const Subreaper subreaper;
  int grandchild = 0;
  auto host = loop.fork("host");
  host.on<"message">([&](int pid) {
    grandchild = pid;
    host.kill(SIGKILL);
  });
  loop.run();
  int status = 0;
  REQUIRE(grandchild > 0);
  CHECK(waitpid(grandchild, &status, 0) == grandchild);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGKILL);
}

// The kernel lets the parent reap the child only after the tracer has waited for it.
TEST_CASE("fork: a parent sleeps while a tracer has not waited for its dead child", "[process]") {
  TestLoop loop;
  auto host = loop.fork("host");
  int traced = 0;
  host.on<"message">([&](int pid) {
    traced = pid;
    loop->stop();
  });
  loop.run();
  REQUIRE(traced > 0);
  const bool may_trace = ptrace(PTRACE_SEIZE, traced, nullptr, nullptr) == 0;
  if (!may_trace) WARN("a grandchild may not be traced here");
  CHECK(kill(traced, SIGKILL) == 0);
  if (may_trace) {
    siginfo_t unused{};
    CHECK(waitid(P_PID, static_cast<id_t>(traced), &unused, WEXITED | WNOWAIT) == 0);
    const long before = sleeps_of(host.pid().value());
    const auto late = std::chrono::steady_clock::now() + deadline;
    while (sleeps_of(host.pid().value()) < before + 5 && std::chrono::steady_clock::now() < late) {
      std::this_thread::yield();
    }
    CHECK(sleeps_of(host.pid().value()) >= before + 5);
    CHECK(waitpid(traced, nullptr, 0) == traced);
  }
  host.disconnect();
  loop.run();
  CHECK(host.exit_code() == 0);
}

TEST_CASE("child process: its resource usage is known after its exit", "[process]") {
  TestLoop loop;
  auto child = loop.fork_script("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done");
  CHECK_FALSE(child.resource_usage());
  loop.run();
  if (only_uv_spawn()) {
    CHECK_FALSE(child.resource_usage());
    return;
  }
  const tine::ResourceUsage usage = child.resource_usage().value();
  CHECK(usage.user_time + usage.system_time > 1ms);
  CHECK(usage.minor_page_faults > 0);
  CHECK_FALSE(usage.max_rss);  // the shell has less memory than this process
}

TEST_CASE("child process: its memory usage is known if it is more than the parent's", "[process]") {
  if (only_uv_spawn()) return;
  rusage ours{};
  getrusage(RUSAGE_SELF, &ours);
  const auto more = static_cast<std::size_t>(ours.ru_maxrss) + 16384;  // KiB
  TestLoop loop;
  auto child = loop.fork_script(
      "dd if=/dev/zero of=/dev/null count=1 status=none bs=" + std::to_string(more) + "K");
  loop.run();
  CHECK(child.exit_code() == 0);
  const std::size_t max_rss = child.resource_usage().value().max_rss.value();
  CHECK(max_rss > more * 1024);
  CHECK(max_rss < (more + 8192) * 1024);
}
