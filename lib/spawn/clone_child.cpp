// This code runs in the memory of a parent whose other threads go on, or in a copy of it, in which
// their locks stay held. It has the thread-local data of the thread that waits. So it makes only
// system calls, by syscall(): a function of libc may take a lock that is held, or act on all
// threads of the parent, as setuid() does. syscall() sets the errno of the waiting thread, which
// does no harm. The code that a sanitizer adds would do harm: CMakeLists.txt keeps it off.
#include "spawn/clone_child.hpp"

#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tine::spawn {

namespace {

// On 32-bit systems these names stand for older calls with 16-bit ids.
#ifdef SYS_setresuid32
constexpr long setgroups_call = SYS_setgroups32;
constexpr long setresgid_call = SYS_setresgid32;
constexpr long setresuid_call = SYS_setresuid32;
#else
constexpr long setgroups_call = SYS_setgroups;
constexpr long setresgid_call = SYS_setresgid;
constexpr long setresuid_call = SYS_setresuid;
#endif

[[noreturn]] void leave() {
  for (;;) syscall(SYS_exit_group, 127);
}

void begin(ChildPlan& plan, const char* step) { plan.progress->step = step; }

[[noreturn]] void fail(ChildPlan& plan, int error) {
  plan.progress->error = error;
  leave();
}

// Checks what syscall() has returned: ends the child if it is an error.
int check(ChildPlan& plan, long result) {
  if (result < 0) fail(plan, errno);
  return static_cast<int>(result);
}

// Runs while all signals are blocked: a handler of the parent must not run here.
void reset_signals() {
  const unsigned long default_action[8] = {};  // no smaller than the kernel's struct
  for (int signal = 1; signal < _NSIG; ++signal) {
    syscall(SYS_rt_sigaction, signal, default_action, nullptr, _NSIG / 8);
  }
}

// Programs expect a write to these descriptors to block, and lose what they write if it does not.
void make_blocking(ChildPlan& plan, int fd) {
  const int flags = check(plan, syscall(SYS_fcntl, fd, F_GETFL));
  if ((flags & O_NONBLOCK) != 0) check(plan, syscall(SYS_fcntl, fd, F_SETFL, flags & ~O_NONBLOCK));
}

// First moves everything that would be overwritten out of the way.
void place_stdio(ChildPlan& plan) {
  begin(plan, "stdio");
  const auto move_away = [&plan](int& fd) {
    fd = check(plan, syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, plan.stdio_count));
  };
  for (int slot = 0; slot < plan.stdio_count; ++slot) {
    int& fd = plan.stdio[slot];
    if (fd != slot && fd < plan.stdio_count) move_away(fd);
  }
  if (plan.parent_pidfd >= 0 && plan.parent_pidfd < plan.stdio_count) move_away(plan.parent_pidfd);
  for (int slot = 0; slot < plan.stdio_count; ++slot) {
    const int fd = plan.stdio[slot];
    check(plan, fd == slot ? syscall(SYS_fcntl, fd, F_SETFD, 0) : syscall(SYS_dup3, fd, slot, 0));
    if (slot <= STDERR_FILENO) make_blocking(plan, slot);
  }
}

// Runs before privileges are dropped, because this may need them.
void set_limits(ChildPlan& plan) {
  begin(plan, "setrlimit");
  for (int i = 0; i < plan.limit_count; ++i) {
    const ChildLimit& limit = plan.limits[i];
    check(plan, syscall(SYS_prlimit64, 0, limit.resource, &limit.values, nullptr));
  }
  begin(plan, "setpriority");
  if (plan.nice != nullptr) check(plan, syscall(SYS_setpriority, PRIO_PROCESS, 0, *plan.nice));
}

// The id for which the calls that set ids change nothing and report success.
constexpr auto no_id = static_cast<unsigned>(-1);

// Drops the groups first, while there is the privilege to do so. Sets the saved ids too, so that
// there is no way back.
void drop_privileges(ChildPlan& plan) {
  if (plan.uid == nullptr && plan.gid == nullptr) return;
  begin(plan, "setgroups");
  const long dropped = syscall(setgroups_call, 0, nullptr);
  if (dropped < 0 && !(errno == EPERM && plan.ids_are_ours)) fail(plan, errno);
  if (plan.gid != nullptr) {
    begin(plan, "setgid");
    const gid_t gid = *plan.gid;
    if (gid == no_id) fail(plan, EINVAL);
    check(plan, syscall(setresgid_call, gid, gid, gid));
  }
  if (plan.uid != nullptr) {
    begin(plan, "setuid");
    const uid_t uid = *plan.uid;
    if (uid == no_id) fail(plan, EINVAL);
    check(plan, syscall(setresuid_call, uid, uid, uid));
  }
}

bool parent_lives(const ChildPlan& plan) {
  const long parent = syscall(SYS_getppid);
  if (parent != 0) return parent == plan.parent;
  // The parent is in another pid namespace. From here all processes there have the number 0,
  // including one that adopts the child.
  pollfd ended{plan.parent_pidfd, POLLIN, 0};
  const long at_once[2] = {};  // a timespec, as this call has it on each system
  return syscall(SYS_ppoll, &ended, 1, at_once, nullptr, 0) <= 0;
}

// Runs after a change of ids, which would clear the signal. A parent that was gone before sends no
// signal, so this checks for it.
void die_with_parent(ChildPlan& plan) {
  if (plan.parent_death_signal == 0) return;
  begin(plan, "prctl");
  check(plan, syscall(SYS_prctl, PR_SET_PDEATHSIG, plan.parent_death_signal, 0, 0, 0));
  if (!parent_lives(plan)) fail(plan, ESRCH);
}

// Retries for 127 ms on ETXTBSY: a program that was just written may still be open in a child of
// another thread, between its clone() and its exec.
void execute(ChildPlan& plan, const char* file, const char* const* args) {
  constexpr long longest = 64'000'000;  // ns
  for (long wait = 1'000'000;; wait *= 2) {
    plan.progress->step = nullptr;
    syscall(SYS_execve, file, args, plan.env);
    begin(plan, "exec");
    if (errno != ETXTBSY || wait > longest) return;
    const long time[2] = {0, wait};  // a timespec, as this call has it on each system
    syscall(SYS_nanosleep, time, nullptr);
  }
}

// Searches as execvp() does: a file that is not there, or may not be run, does not end the search.
void exec(ChildPlan& plan) {
  int error = ENOENT;
  for (const char* const* file = plan.candidates; *file != nullptr; ++file) {
    execute(plan, *file, plan.args);
    if (errno == ENOEXEC) {
      plan.shell_args[1] = *file;
      execute(plan, plan.shell_args[0], plan.shell_args);
    }
    switch (errno) {
      case EACCES: error = EACCES; break;
      case ENOENT:
      case ENOTDIR:
      case ENODEV:
      case ESTALE:
      case ETIMEDOUT:
        if (error != EACCES) error = errno;
        break;
      default: fail(plan, errno);
    }
  }
  begin(plan, "exec");
  fail(plan, error);
}

}  // namespace

int run_child(void* argument) {
  ChildPlan& plan = *static_cast<ChildPlan*>(argument);
  reset_signals();
  if (plan.new_session) {
    begin(plan, "setsid");
    check(plan, syscall(SYS_setsid));  // also makes it lead a group
  } else if (plan.new_group) {
    begin(plan, "setpgid");
    check(plan, syscall(SYS_setpgid, 0, 0));
  }
  place_stdio(plan);
  begin(plan, "chdir");
  if (plan.cwd != nullptr) check(plan, syscall(SYS_chdir, plan.cwd));
  set_limits(plan);
  drop_privileges(plan);
  die_with_parent(plan);
  begin(plan, "sigprocmask");
  const unsigned long no_signals[_NSIG / 8 / sizeof(unsigned long)] = {};
  check(plan, syscall(SYS_rt_sigprocmask, SIG_SETMASK, no_signals, nullptr, _NSIG / 8));
  exec(plan);
  return 0;
}

}  // namespace tine::spawn
