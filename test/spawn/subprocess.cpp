// Tests how programs are started. How they end is tested in subprocess_ends.cpp.
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <random>
#include <sstream>
#include <thread>

#include <grp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "spawn/call_notices.hpp"
#include "spawn/clone_spawn.hpp"
#include "spawn/run_program.hpp"
#include "support/no_descriptors.hpp"
#include "support/raw_peer.hpp"
#include "support/signal_action.hpp"

namespace {

constexpr uid_t nobody = 65534;

// While this object lives, the current thread has no privileges; the other threads keep theirs.
class Unprivileged {
 public:
  Unprivileged() { change(nobody); }
  Unprivileged(const Unprivileged&) = delete;
  Unprivileged& operator=(const Unprivileged&) = delete;
  ~Unprivileged() { change(0); }

 private:
  void change(uid_t to) const {
    if (root_) syscall(SYS_setresuid, to, to, -1);
  }

  bool root_ = getuid() == 0;
};

void write_file(const std::filesystem::path& path, const std::string& text, int mode) {
  std::ofstream(path) << text;
  std::filesystem::permissions(path, std::filesystem::perms(mode));
}

// Tries to start a program. Returns "STEP ERRNO", or "started".
std::string failure(TestLoop& loop, const SubprocessOptions& options) {
  try {
    const auto started = Subprocess::start(tine::core_of(loop), options, [](const auto&) {});
    started->kill(SIGKILL);
    loop.run();
  } catch (const SpawnError& error) {
    CHECK_THAT(error.what(), StartsWith(error.step()));
    return std::string(error.step()) + " " + std::to_string(error.code().value());
  }
  return "started";
}

// The same, while answer() decides whether the calls of the new process fail.
std::string failure_while(const SubprocessOptions& options, const call_notices::Answer& answer,
                          const call_notices::Calls& calls = {SYS_execve, SYS_nanosleep}) {
  std::string result;
  const auto start = [&] {
    TestLoop loop;
    result = failure(loop, options);
  };
  call_notices::watch(start, answer, calls);
  return result;
}

bool runs_tail(pid_t pid) {
  std::string name;
  std::ifstream("/proc/" + std::to_string(pid) + "/comm") >> name;
  return name == "tail";
}

// A program that another process has open for writing, so that it cannot be started.
class ProgramBeingWritten {
 public:
  ProgramBeingWritten() {
    std::filesystem::copy_file("/bin/true", path());
    const tine::base::Descriptor written(open(path().c_str(), O_WRONLY));
    REQUIRE(written.get() >= 0);
    writer_ = fork();
    // A small program, because a copy of this one may take long to end: with a sanitizer it is
    // large.
    if (writer_ == 0) execl("/usr/bin/tail", "tail", "-f", "/dev/null", nullptr);
    if (writer_ == 0) _exit(1);
    while (!runs_tail(writer_)) std::this_thread::yield();
  }
  ProgramBeingWritten(const ProgramBeingWritten&) = delete;
  ProgramBeingWritten& operator=(const ProgramBeingWritten&) = delete;
  ~ProgramBeingWritten() {
    kill(writer_, SIGKILL);
    waitpid(writer_, nullptr, 0);
  }

  std::string path() const { return folder_.at("program"); }

 private:
  Folder folder_;
  pid_t writer_ = -1;
};

std::string expected(const char* step, int error) {
  return std::string(step) + " " + std::to_string(error);
}

volatile std::sig_atomic_t handled_in_child = 0;
const pid_t self = getpid();

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// Returns a script that writes the names of its open files to the file that is its $0.
std::string open_files_script(int count) {
  return "files=$(for i in $(seq 0 " + std::to_string(count - 1) +
         "); do readlink /proc/$$/fd/$i || echo none; done); echo \"$files\" >\"$0\"";
}

std::vector<std::string> open_files_of(TestLoop& loop, SubprocessOptions options,
                                       const std::filesystem::path& report) {
  options.args.push_back(report);
  Running running(loop, options);
  loop.run();
  CHECK(running.code() == 0);
  std::ostringstream text;
  text << std::ifstream(report).rdbuf();
  return lines_of(text.str());
}

}  // namespace

TEST_CASE("subprocess: it is found in PATH, and gets its arguments, variables and directory",
          "[subprocess]") {
  const Way way(GENERATE(false, true));
  TestLoop loop;
  SubprocessOptions options = script("pwd; echo \"$0\"; echo $X");
  options.file = "sh";
  options.args[0] = "a name";
  options.env = {"PATH=/nonexistent:/etc/passwd:/usr/bin:/bin", "X=1"};
  options.cwd = "/usr";
  CHECK(output_of(loop, options) == "/usr\na name\n1\n");
}

TEST_CASE("subprocess: without a PATH it is searched in the system's directories", "[subprocess]") {
  const Way way(GENERATE(false, true));
  TestLoop loop;
  SubprocessOptions options = script("echo found");
  options.file = "sh";
  options.env = {};
  CHECK(output_of(loop, options) == "found\n");
}

TEST_CASE("subprocess: a file that must not be run does not end the search in PATH",
          "[subprocess]") {
  const Way way(GENERATE(false, true));
  const Folder folder;
  for (const char* const name : {"first", "second"})
    std::filesystem::create_directory(folder.path() / name);
  write_file(folder.path() / "first/program", "exit 1\n", 0644);
  write_file(folder.path() / "second/program", "echo \"$0 $1\"\n", 0755);

  TestLoop loop;
  SubprocessOptions options;
  options.args = {"program", "argument"};
  SECTION("a script without an interpreter line is run by the shell") {
    const std::string second = (folder.path() / "second").string();
    options.env = {"PATH=" + (folder.path() / "first").string() + ":" + second};
    CHECK(output_of(loop, options) == second + "/program argument\n");
  }
  SECTION("an empty entry means the directory in which it is started") {
    options.env = {"PATH=:/bin"};
    options.cwd = folder.path() / "second";
    CHECK(output_of(loop, options) == "program argument\n");
  }
  SECTION("the error is reported if there is no other file") {
    options.env = {"PATH=" + (folder.path() / "first").string() + ":/nonexistent"};
    CHECK_THAT(failure(loop, options), EndsWith(" " + std::to_string(EACCES)));
  }
}

TEST_CASE("subprocess: the failed step is reported, and nothing is left behind", "[subprocess]") {
  TestLoop loop;
  SubprocessOptions options = script("exit 1");
  SECTION("stdio") {
    options.stdio = {0, 1, 2, 987'654};
    CHECK(failure(loop, options) == expected("stdio", EBADF));
    options.stdio = {0, 1, 2, 3, 987};
    options.stdio.resize(1000, SubprocessOptions::null_device);
    CHECK(failure(loop, options) == expected("stdio", EBADF));
  }
  SECTION("chdir") {
    options.cwd = "/nonexistent";
    CHECK(failure(loop, options) == expected("chdir", ENOENT));
    options.cwd = "/etc/passwd";
    CHECK(failure(loop, options) == expected("chdir", ENOTDIR));
  }
  SECTION("setrlimit") {
    options.limits = {{RLIMIT_CORE, 2, 1}};
    CHECK(failure(loop, options) == expected("setrlimit", EINVAL));
  }
  SECTION("setpriority") {
    const Unprivileged unprivileged;
    options.nice = getpriority(PRIO_PROCESS, 0) - 1;
    CHECK(failure(loop, options) == expected("setpriority", EACCES));
  }
  SECTION("setgroups") {
    const Unprivileged unprivileged;
    options.uid = geteuid() + 1;
    CHECK(failure(loop, options) == expected("setgroups", EPERM));
    options.uid = geteuid();
    options.gid = getegid() + 1;
    CHECK(failure(loop, options) == expected("setgroups", EPERM));
  }
  SECTION("exec") {
    options.file = "/nonexistent";
    CHECK(failure(loop, options) == expected("exec", ENOENT));
    options.file = "";
    options.args[0] = "";
    CHECK(failure(loop, options) == expected("exec", ENOENT));
    options.args[0] = std::string(300, 'x');
    CHECK(failure(loop, options) == expected("exec", ENAMETOOLONG));
    options.args = {"/bin/sh", std::string(1 << 20, 'x')};
    CHECK(failure(loop, options) == expected("exec", E2BIG));
  }
}

TEST_CASE("subprocess: the ids that stand for no change are refused", "[subprocess]") {
  if (geteuid() != 0) return;
  TestLoop loop;
  SubprocessOptions options = script("exit 1");
  options.uid = static_cast<uid_t>(-1);
  CHECK(failure(loop, options) == expected("setuid", EINVAL));
  options.uid = nobody;
  options.gid = static_cast<gid_t>(-1);
  CHECK(failure(loop, options) == expected("setgid", EINVAL));
}

TEST_CASE("subprocess: our own ids need no privilege", "[subprocess]") {
  const Way way(GENERATE(false, true));
  TestLoop loop;
  const Unprivileged unprivileged;
  SubprocessOptions options = script("exit 1");
  options.uid = geteuid();
  CHECK(failure(loop, options) == "started");
  options.gid = getegid();
  CHECK(failure(loop, options) == "started");
  options.uid.reset();
  CHECK(failure(loop, options) == "started");
}

TEST_CASE("subprocess: a change of uid or gid does not prevent our own core dumps",
          "[subprocess]") {
  if (geteuid() != 0) return;
  const int before = prctl(PR_GET_DUMPABLE);
  REQUIRE(prctl(PR_SET_DUMPABLE, 1) == 0);
  {
    TestLoop loop;
    SubprocessOptions options = script("exit 3");
    options.uid = nobody;
    Running changed(loop, options);
    CHECK(prctl(PR_GET_DUMPABLE) == 1);
    options.uid.reset();
    options.gid = nobody;
    Running other(loop, options);
    CHECK(prctl(PR_GET_DUMPABLE) == 1);
    options.file = "/nonexistent";
    CHECK(failure(loop, options) == expected("exec", ENOENT));
    CHECK(prctl(PR_GET_DUMPABLE) == 1);
    loop.run();
    CHECK(changed.code() == 3);
    CHECK(other.code() == 3);
  }
  prctl(PR_SET_DUMPABLE, before);
}

// Each thread can have its own pid namespace for its children.
TEST_CASE("subprocess: it starts in another pid namespace, and failures are reported",
          "[subprocess]") {
  const std::size_t slots = GENERATE(std::size_t{3}, std::size_t{100});  // 100: our own numbers too
  bool may_change = true;
  const auto fork_there = [&] {
    may_change = unshare(CLONE_NEWPID) == 0;
    if (!may_change) return;
    TestLoop loop;
    SubprocessOptions options = script("exit $$");
    options.parent_death_signal = SIGKILL;
    options.stdio.resize(slots, SubprocessOptions::inherited);
    Running running(loop, options);
    loop.run();
    CHECK(running.code() == 1);
    CHECK(failure(loop, options) == expected("clone", ENOMEM));  // its first process is gone
  };
  std::thread(fork_there).join();
  if (!may_change) WARN("no pid namespace can be made here");
}

TEST_CASE("subprocess: it waits a moment for a program that is still being written",
          "[subprocess]") {
  const bool uv_spawn = GENERATE(false, true);
  const Way way(uv_spawn);
  SECTION("the program is started when it is written") {
    int calls = 0;
    const auto written_at_third = [&calls](pid_t, int call) {
      return call == SYS_execve && ++calls < 3 ? ETXTBSY : 0;
    };
    CHECK(failure_while(script("exit 0"), written_at_third) == "started");
    CHECK(calls == 3);
  }
  SECTION("it does not wait for ever") {
    TestLoop loop;
    const ProgramBeingWritten program;
    SubprocessOptions options;
    options.args = {program.path()};
    CHECK(failure(loop, options) == expected(uv_spawn ? "uv_spawn" : "exec", ETXTBSY));
  }
}

TEST_CASE("subprocess: a program that is killed before exec is an error", "[subprocess]") {
  // It is killed while it waits before it tries again.
  const auto kill_when_it_waits = [](pid_t child, int call) {
    return call == SYS_execve ? ETXTBSY : kill(child, SIGKILL);
  };
  CHECK(failure_while(script("exit 0"), kill_when_it_waits) == expected("exec", ECANCELED));
}

TEST_CASE("subprocess: options that uv_spawn lacks are refused if there is only uv_spawn",
          "[subprocess]") {
  const Way way(true);
  TestLoop loop;
  SubprocessOptions options = script("exit 1");
  SECTION("new_group") {
    options.new_group = true;
    CHECK(failure(loop, options) == expected("setpgid", ENOTSUP));
  }
  SECTION("limits") {
    options.limits = {{RLIMIT_CORE, 0, 0}};
    CHECK(failure(loop, options) == expected("setrlimit", ENOTSUP));
  }
  SECTION("nice") {
    options.nice = 5;
    CHECK(failure(loop, options) == expected("setpriority", ENOTSUP));
  }
  SECTION("parent_death_signal") {
    options.parent_death_signal = SIGKILL;
    CHECK(failure(loop, options) == expected("prctl", ENOTSUP));
  }
  SECTION("uid without privileges") {
    const Unprivileged unprivileged;
    options.uid = geteuid() + 1;
    CHECK(failure(loop, options) == expected("setgroups", EPERM));
  }
}

TEST_CASE("subprocess: uid and gid leave no privileges and no groups", "[subprocess]") {
  if (geteuid() != 0) return;
  const Way way(GENERATE(false, true));
  gid_t before[100];
  const int count = getgroups(100, before);
  const gid_t groups[] = {0, 4};
  REQUIRE(setgroups(2, groups) == 0);
  TestLoop loop;
  SubprocessOptions options = script("grep -E '^(Uid|Gid|Groups):' /proc/self/status");
  options.uid = nobody;
  options.gid = nobody;
  const auto lines = lines_of(output_of(loop, options));
  setgroups(static_cast<std::size_t>(std::max(count, 0)), before);
  REQUIRE(lines.size() == 3);
  CHECK(lines[0] == "Uid:\t65534\t65534\t65534\t65534");
  CHECK(lines[1] == "Gid:\t65534\t65534\t65534\t65534");
  CHECK(lines[2].find_first_of("0123456789") == std::string::npos);
}

TEST_CASE("subprocess: slots get the given files in any order, repeatedly", "[subprocess]") {
  const Way way(GENERATE(false, true));
  constexpr int files = 8;
  const Folder folder;
  TestLoop loop;
  std::vector<std::unique_ptr<tine::base::Descriptor>> open_files;
  std::vector<std::pair<int, std::string>> given{{SubprocessOptions::null_device, "/dev/null"}};
  for (int i = 0; i < files; ++i) {
    const std::string name = folder.path() / std::to_string(i);
    const int fd = open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    REQUIRE(fd >= 0);
    open_files.push_back(std::make_unique<tine::base::Descriptor>(fd));
    given.emplace_back(fd, name);
  }
  const int slots = given.back().first + files;  // so that the number of each file is a slot too
  std::mt19937 random(1);
  for (int round = 0; round < 20; ++round) {
    SubprocessOptions options = script(open_files_script(slots));
    options.stdio.clear();
    std::vector<std::string> names;
    for (int slot = 0; slot < slots; ++slot) {
      auto each = given[random() % given.size()];
      // In every second round, a file whose number is also a slot stays at this slot.
      for (const auto& [fd, name] : given) {
        if (fd == slot && round % 2 == 0) each = {fd, name};
      }
      options.stdio.push_back(each.first);
      names.push_back(each.second);
    }
    CHECK(open_files_of(loop, options, folder.path() / "report") == names);
  }
  for (const auto& file : open_files) CHECK((fcntl(file->get(), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("subprocess: it inherits all descriptors without close-on-exec, and no others",
          "[subprocess]") {
  const Way way(GENERATE(false, true));
  const Folder folder;
  TestLoop loop;
  const tine::base::Descriptor inherited(open("/dev/zero", O_RDONLY));
  const tine::base::Descriptor not_inherited(open("/dev/full", O_RDONLY | O_CLOEXEC));
  const auto open_files =
      open_files_of(loop, script(open_files_script(not_inherited.get() + 1)), folder.path() / "r");
  CHECK(open_files.at(static_cast<std::size_t>(inherited.get())) == "/dev/zero");
  CHECK(open_files.at(static_cast<std::size_t>(not_inherited.get())) == "none");
}

TEST_CASE("subprocess: if 0 to 2 are closed here, it has the null device there", "[subprocess]") {
  const Folder folder;
  TestLoop loop;
  std::vector<int> kept;
  for (int fd = 0; fd < 3; ++fd) {
    kept.push_back(fcntl(fd, F_DUPFD_CLOEXEC, 10));
    close(fd);
  }
  std::vector<std::string> open_files;
  std::string failed;
  try {
    open_files = open_files_of(loop, script(open_files_script(3)), folder.path() / "r");
  } catch (const std::exception& error) {
    failed = error.what();
  }
  for (int fd = 0; fd < 3; ++fd) {
    const auto index = static_cast<std::size_t>(fd);
    dup2(kept[index], fd);
    close(kept[index]);
  }
  CHECK(failed.empty());
  CHECK(open_files == std::vector<std::string>(3, "/dev/null"));
}

TEST_CASE("subprocess: descriptors 0 to 2 are made blocking, others stay unchanged",
          "[subprocess]") {
  const Way way(GENERATE(false, true));
  TestLoop loop;
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
  const tine::base::Descriptor reading(ends[0]);
  const tine::base::Descriptor writing(ends[1]);
  SubprocessOptions options = script("exit 0");
  options.stdio.push_back(reading.get());
  const auto run = [&] {
    Running running(loop, options);
    loop.run();
  };
  run();
  CHECK((fcntl(reading.get(), F_GETFL) & O_NONBLOCK) != 0);
  const int slot = GENERATE(0, 1, 2);
  options.stdio[static_cast<std::size_t>(slot)] = writing.get();
  run();
  CHECK((fcntl(writing.get(), F_GETFL) & O_NONBLOCK) == 0);
  CHECK((fcntl(reading.get(), F_GETFL) & O_NONBLOCK) != 0);
}

TEST_CASE("subprocess: detached makes a session, new_group makes a process group", "[subprocess]") {
  const std::string print_ids =
      "read -r pid rest </proc/self/stat; cut -d' ' -f1,5,6 /proc/$$/stat";
  TestLoop loop;
  SubprocessOptions options = script(print_ids);
  int pid = 0;
  int group = 0;
  int session = 0;
  const auto run = [&] { std::istringstream(output_of(loop, options)) >> pid >> group >> session; };
  SECTION("detached") {
    const Way way(GENERATE(false, true));
    options.detached = true;
    run();
    CHECK(group == pid);
    CHECK(session == pid);
  }
  SECTION("new_group") {
    options.new_group = true;
    run();
    CHECK(group == pid);
    CHECK(session == getsid(0));
  }
  SECTION("both") {
    options.detached = options.new_group = true;
    run();
    CHECK(group == pid);
    CHECK(session == pid);
  }
  SECTION("neither") {
    const Way way(GENERATE(false, true));
    run();
    CHECK(group == getpgrp());
    CHECK(session == getsid(0));
  }
}

TEST_CASE("subprocess: limits and nice apply to the child only", "[subprocess]") {
  TestLoop loop;
  SubprocessOptions options =
      script("ulimit -Sn; ulimit -Hn; ulimit -c; cut -d' ' -f19 /proc/$$/stat");
  const auto enough = static_cast<rlim_t>(open_descriptors().rbegin()->first) + 50;
  options.limits = {{RLIMIT_NOFILE, enough, enough + 50}, {RLIMIT_CORE, 0, 0}};
  const int own_nice = getpriority(PRIO_PROCESS, 0);
  options.nice = std::min(own_nice + 7, 19);
  rlimit before;
  getrlimit(RLIMIT_NOFILE, &before);
  CHECK(output_of(loop, options) == std::to_string(enough) + "\n" + std::to_string(enough + 50) +
                                        "\n0\n" + std::to_string(*options.nice) + "\n");
  rlimit after;
  getrlimit(RLIMIT_NOFILE, &after);
  CHECK(after.rlim_cur == before.rlim_cur);
  CHECK(getpriority(PRIO_PROCESS, 0) == own_nice);
}

TEST_CASE("subprocess: it has our umask", "[subprocess]") {
  const Way way(GENERATE(false, true));
  TestLoop loop;
  const mode_t before = umask(0037);
  const std::string output = output_of(loop, script("umask"));
  umask(before);
  CHECK(output == "0037\n");
}

TEST_CASE("subprocess: its signals are default and not blocked, ours are unchanged",
          "[subprocess]") {
  struct sigaction before {};
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGRTMIN + 1, &ignore, &before);
  sigset_t blocked;
  sigset_t mask_before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR2);
  pthread_sigmask(SIG_SETMASK, &blocked, &mask_before);
  TestLoop loop;
  SubprocessOptions options;
  options.args = {"/bin/sed", "-n", "/^Sig[BIC]/p", "/proc/self/status"};
  const std::string output = output_of(loop, options);
  sigset_t after;
  pthread_sigmask(SIG_SETMASK, &mask_before, &after);
  sigaction(SIGRTMIN + 1, &before, &ignore);

  const std::string none = ":\t0000000000000000\n";
  CHECK(output == "SigBlk" + none + "SigIgn" + none + "SigCgt" + none);
  CHECK(sigismember(&after, SIGUSR2) == 1);
  CHECK(sigismember(&after, SIGUSR1) == 0);
  CHECK(ignore.sa_handler == SIG_IGN);
}

// A child that is being started shares our memory, and has our handlers at first.
TEST_CASE("subprocess: our signal handlers do not run in a child that is being started",
          "[subprocess]") {
  if (!tine::spawn::clone_spawn_works()) return;
  handled_in_child = 0;
  const SignalAction action(SIGUSR1, [](int) {
    if (syscall(SYS_getpid) != self) handled_in_child = 1;
  });
  const unsigned call = GENERATE(as<unsigned>{}, SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_execve);
  int signals = 0;
  // The starter is a thread of this process: there is no process with its number.
  const auto signal_it = [&](pid_t caller, int) {
    if (syscall(SYS_tgkill, caller, caller, SIGUSR1) == 0) ++signals;
    return 0;
  };
  const auto result = failure_while(script("exit 0"), signal_it, {call});
  CHECK(signals > 0);
  CHECK(result == (call == SYS_execve ? "started" : expected("sigprocmask", ECANCELED)));
  CHECK(handled_in_child == 0);
}

TEST_CASE("subprocess: with parent_death_signal, it is killed when its parent thread ends",
          "[subprocess]") {
  TestLoop loop;
  SubprocessOptions options = script("exec tail -f /dev/null");
  options.parent_death_signal = SIGKILL;
  if (geteuid() == 0) options.uid = nobody;  // a change of ids would clear an earlier death signal
  std::optional<Running> running;
  std::thread([&] { running.emplace(loop, options); }).join();
  loop.run();
  CHECK(running->signal() == SIGKILL);
}

TEST_CASE("subprocess: with few free descriptors it starts or fails, and none is left behind",
          "[subprocess]") {
  const Way way(GENERATE(false, true));
  TestLoop loop;
  const auto before = open_descriptors();
  rlimit limit_before;
  getrlimit(RLIMIT_NOFILE, &limit_before);
  int started = 0;
  int failed = 0;
  for (int left = 0; left <= 40; ++left) {
    const rlimit limit{limit_with_free(left), limit_before.rlim_max};
    SubprocessOptions options = script("exit 0");
    options.stdio = {SubprocessOptions::null_device, 2, 1, 0, 2, 1};
    setrlimit(RLIMIT_NOFILE, &limit);
    std::unique_ptr<Subprocess> subprocess;
    std::error_code error;
    try {
      subprocess = Subprocess::start(tine::core_of(loop), options,
                                     [&](const SubprocessExit& exit) { CHECK(exit.known); });
    } catch (const SpawnError& thrown) {
      error = thrown.code();
    }
    setrlimit(RLIMIT_NOFILE, &limit_before);  // because Catch and sanitizers need descriptors too
    if (error) CHECK(error == std::errc::too_many_files_open);
    ++(error ? failed : started);
    loop.run();
    CHECK(open_descriptors() == before);
  }
  CHECK(failed > 0);
  CHECK(started > 0);
  Running next(loop, script("exit 3"));
  loop.run();
  CHECK(next.code() == 3);
}
