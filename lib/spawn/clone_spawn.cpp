#include "spawn/clone_spawn.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <new>
#include <string_view>

#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spawn/clone_child.hpp"
#include "spawn/null_ended.hpp"
#include "spawn/stdio_slots.hpp"

#ifdef __GLIBC__
// clone() under another name: ThreadSanitizer intercepts clone(), and does not support a child that
// shares its memory.
extern "C" int __clone(int (*function)(void*), void* stack, int flags, void* argument, ...);
#endif

namespace tine::spawn {

namespace {

#ifdef __GLIBC__
constexpr auto clone_call = __clone;
#else
constexpr auto clone_call = ::clone;
#endif

constexpr int wait_by_pidfd = 3;           // P_PIDFD, which older headers lack
constexpr std::size_t stack_size = 16384;  // for a few frames and the child's system calls

// A guard during whose life no signal reaches this thread or a child of it. It uses a system call,
// because libc would leave out the signals that it needs itself.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    std::memset(&all, 0xff, sizeof all);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before_, _NSIG / 8);
  }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;
  ~SignalsBlocked() { syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before_, nullptr, _NSIG / 8); }

 private:
  sigset_t before_;
};

std::string_view path_of(const std::vector<std::string>& env) {
  constexpr std::string_view name = "PATH=";
  for (const std::string_view variable : env) {
    if (variable.starts_with(name)) return variable.substr(name.size());
  }
  return "/bin:/usr/bin";
}

// Returns the paths that execvp() would try, in this order.
std::vector<std::string> candidates(const std::string& file, const std::vector<std::string>& env) {
  if (file.empty()) return {};
  if (file.find('/') != file.npos) return {file};
  std::vector<std::string> found;
  for (std::string_view rest = path_of(env);;) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    std::string candidate(rest.substr(0, end));
    if (!candidate.empty()) candidate += '/';  // empty: the working directory
    if (candidate.size() < PATH_MAX) found.push_back(candidate + file);
    if (end == rest.size()) return found;
    rest.remove_prefix(end + 1);
  }
}

// The strings and arrays that describe a program in a ChildPlan.
class Program {
 public:
  explicit Program(const SubprocessOptions& options)
      : files_(candidates(options.file.empty() ? options.args.at(0) : options.file, options.env)),
        file_pointers_(null_ended(files_)),
        args_(null_ended(options.args)),
        env_(null_ended(options.env)),
        shell_args_{"/bin/sh", nullptr} {
    shell_args_.insert(shell_args_.end(), args_.begin() + (args_.size() > 1 ? 1 : 0), args_.end());
  }

  void put_into(ChildPlan& plan) {
    plan.candidates = file_pointers_.data();
    plan.args = args_.data();
    plan.env = env_.data();
    plan.shell_args = shell_args_.data();
  }

 private:
  std::vector<std::string> files_;
  std::vector<char*> file_pointers_;
  std::vector<char*> args_;
  std::vector<char*> env_;
  std::vector<const char*> shell_args_;
};

std::vector<ChildLimit> child_limits(const std::vector<ResourceLimit>& limits) {
  std::vector<ChildLimit> all;
  for (const auto& [resource, soft, hard] : limits) all.push_back({resource, {soft, hard}});
  return all;
}

int pidfd_of(int pid) { return static_cast<int>(syscall(SYS_pidfd_open, pid, 0)); }

template <class T>
const T* pointer_to(const std::optional<T>& value) {
  return value ? &*value : nullptr;
}

// A ChildProgress that is shared with a child that has a copy of our memory.
class SharedProgress {
 public:
  SharedProgress()
      : memory_(mmap(nullptr, sizeof(ChildProgress), PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
    if (memory_ == MAP_FAILED) throw SpawnError(errno, "mmap");
    progress_ = new (memory_) ChildProgress;
  }
  SharedProgress(const SharedProgress&) = delete;
  SharedProgress& operator=(const SharedProgress&) = delete;
  ~SharedProgress() { munmap(memory_, sizeof(ChildProgress)); }

  ChildProgress* get() const { return progress_; }

 private:
  void* memory_;
  ChildProgress* progress_;
};

// Throws SpawnError if the child has not got as far as running its program.
ClonedChild clone_child(ChildPlan& plan, int memory) {
  alignas(16) std::byte stack[stack_size];
  int pidfd = -1;
  int pid = -1;
  {
    const SignalsBlocked blocked;
    pid = clone_call(run_child, stack + stack_size, memory | CLONE_VFORK | CLONE_PIDFD | SIGCHLD,
                     &plan, &pidfd);
  }
  if (pid < 0) throw SpawnError(errno, "clone");
  ClonedChild child{pid, Pidfd(pidfd)};
  if (plan.progress->step == nullptr) return child;
  siginfo_t unused;
  wait_for(child.pidfd.get(), unused, WEXITED, nullptr);
  const int error = plan.progress->error;
  throw SpawnError(error == 0 ? ECANCELED : error, plan.progress->step);
}

// A child that changes its ids gets a copy of our memory. If it shared our memory, the change would
// take our core dumps away for good (PR_DUMPABLE), because a process of the other user could reach
// into that memory until exec. Giving them back while another thread starts such a child would
// allow that.
ClonedChild clone_child(ChildPlan& plan) {
  if (plan.uid != nullptr || plan.gid != nullptr) {
    const SharedProgress progress;
    plan.progress = progress.get();
    return clone_child(plan, 0);
  }
  ChildProgress progress;
  plan.progress = &progress;
  return clone_child(plan, CLONE_VM);
}

}  // namespace

// Tries the calls with a bad descriptor. They fail with EBADF if they exist, else with another
// error, from the kernel or from a filter before it. waitid() by pidfd is newer than CLONE_PIDFD,
// so the latter exists too.
bool clone_spawn_works() {
  static const bool works = [] {
    siginfo_t unused;
    const int no_descriptor = INT_MAX;
    return wait_for(no_descriptor, unused, WEXITED | WNOHANG, nullptr) < 0 && errno == EBADF &&
           send_signal(no_descriptor, 0) < 0 && errno == EBADF;
  }();
  return works;
}

bool has_exited(int pidfd) {
  pollfd exited{pidfd, POLLIN, 0};
  const long at_once[2] = {};  // a timespec, as this call has it on each system
  return syscall(SYS_ppoll, &exited, 1, at_once, nullptr, 0) > 0;
}

int wait_for(int pidfd, siginfo_t& info, int flags, rusage* usage) {
  long result = -1;
  do {
    info = {};
    result = syscall(SYS_waitid, wait_by_pidfd, pidfd, &info, flags, usage);
  } while (result < 0 && errno == EINTR);
  return static_cast<int>(result);
}

Pidfd::~Pidfd() {
  if (const int fd = fd_.release(); fd >= 0) syscall(SYS_close, fd);
}

int send_signal(int pidfd, int signal) {
  return static_cast<int>(syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0));
}

ClonedChild clone_spawn(const SubprocessOptions& options) {
  ChildPlan plan;
  Program program(options);
  program.put_into(plan);
  const std::vector<ChildLimit> limits = child_limits(options.limits);
  plan.limits = limits.data();
  plan.limit_count = static_cast<int>(limits.size());
  plan.cwd = options.cwd.empty() ? nullptr : options.cwd.c_str();
  plan.new_session = options.detached;
  plan.new_group = options.new_group;
  plan.nice = pointer_to(options.nice);
  plan.uid = pointer_to(options.uid);
  plan.gid = pointer_to(options.gid);
  plan.ids_are_ours = options.ids_are_ours();
  plan.parent = getpid();
  const Pidfd parent(options.parent_death_signal == 0 ? -1 : pidfd_of(plan.parent));
  plan.parent_pidfd = parent.get();
  plan.parent_death_signal = options.parent_death_signal;
  StdioSlots stdio(options.stdio);
  plan.stdio = stdio.slots().data();
  plan.stdio_count = static_cast<int>(stdio.slots().size());

  return clone_child(plan);
}

}  // namespace tine::spawn
