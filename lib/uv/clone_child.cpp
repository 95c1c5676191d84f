// Runs in the memory of a parent whose other threads go on, on the thread-local data of the one that
// waits. So there are only system calls, by syscall(), here: a function of libc may take a lock that is
// held, or act on all threads of the parent, as setuid() does. That syscall() sets the waiting thread's
// errno does no harm. What a sanitizer adds would: CMakeLists.txt keeps it off.
#include "uv/clone_child.hpp"

#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tine::uv {

namespace {

// 32-bit systems have older calls for numbers of 16 bits under these names.
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

[[noreturn]] void fail(ChildPlan& plan, const char* step, int error) {
  plan.failed_step = step;
  plan.error = error;
  leave();
}

// What syscall() has returned: ends if that is an error.
int check(ChildPlan& plan, long result, const char* step) {
  if (result < 0) fail(plan, step, errno);
  return static_cast<int>(result);
}

// While all are blocked: a handler of the parent's must not run here.
void reset_signals() {
  const unsigned long default_action[8] = {};  // no smaller than the kernel's struct
  for (int signal = 1; signal < _NSIG; ++signal) {
    syscall(SYS_rt_sigaction, signal, default_action, nullptr, _NSIG / 8);
  }
}

// First all that would be overwritten is moved out of the way.
void place_stdio(ChildPlan& plan) {
  for (int slot = 0; slot < plan.stdio_count; ++slot) {
    int& fd = plan.stdio[slot];
    if (fd == slot || fd >= plan.stdio_count) continue;
    fd = check(plan, syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, plan.stdio_count), "stdio");
  }
  for (int slot = 0; slot < plan.stdio_count; ++slot) {
    const int fd = plan.stdio[slot];
    check(plan, fd == slot ? syscall(SYS_fcntl, fd, F_SETFD, 0) : syscall(SYS_dup3, fd, slot, 0),
          "stdio");
  }
}

// Before privileges are dropped, which this may need.
void set_limits(ChildPlan& plan) {
  for (int i = 0; i < plan.limit_count; ++i) {
    const ChildLimit& limit = plan.limits[i];
    check(plan, syscall(SYS_prlimit64, 0, limit.resource, &limit.values, nullptr), "setrlimit");
  }
  if (plan.nice != nullptr) {
    check(plan, syscall(SYS_setpriority, PRIO_PROCESS, 0, *plan.nice), "setpriority");
  }
}

// To which the calls that set ids change nothing, and say that all is well.
constexpr auto no_id = static_cast<unsigned>(-1);

// The groups first, as long as there is the privilege to. The saved ids too, so that there is no way
// back.
void drop_privileges(ChildPlan& plan) {
  if (plan.uid == nullptr && plan.gid == nullptr) return;
  check(plan, syscall(setgroups_call, 0, nullptr), "setgroups");
  if (plan.gid != nullptr) {
    const gid_t gid = *plan.gid;
    if (gid == no_id) fail(plan, "setgid", EINVAL);
    check(plan, syscall(setresgid_call, gid, gid, gid), "setgid");
  }
  if (plan.uid != nullptr) {
    const uid_t uid = *plan.uid;
    if (uid == no_id) fail(plan, "setuid", EINVAL);
    check(plan, syscall(setresuid_call, uid, uid, uid), "setuid");
  }
}

// A change of ids would clear it. A parent that was gone before is not told of, so it is looked for.
void die_with_parent(ChildPlan& plan) {
  if (plan.parent_death_signal == 0) return;
  check(plan, syscall(SYS_prctl, PR_SET_PDEATHSIG, plan.parent_death_signal, 0, 0, 0), "prctl");
  if (syscall(SYS_getppid) != plan.parent) leave();
}

// As execvp() does it: what is not there, or may not be run, does not end the search.
void exec(ChildPlan& plan) {
  int error = ENOENT;
  for (const char* const* file = plan.candidates; *file != nullptr; ++file) {
    syscall(SYS_execve, *file, plan.args, plan.env);
    if (errno == ENOEXEC) {
      plan.shell_args[1] = *file;
      syscall(SYS_execve, plan.shell_args[0], plan.shell_args, plan.env);
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
      default: fail(plan, "exec", errno);
    }
  }
  fail(plan, "exec", error);
}

}  // namespace

int run_child(void* argument) {
  ChildPlan& plan = *static_cast<ChildPlan*>(argument);
  reset_signals();
  if (plan.new_session) {
    check(plan, syscall(SYS_setsid), "setsid");  // and leads a group with it
  } else if (plan.new_group) {
    check(plan, syscall(SYS_setpgid, 0, 0), "setpgid");
  }
  place_stdio(plan);
  if (plan.cwd != nullptr) check(plan, syscall(SYS_chdir, plan.cwd), "chdir");
  set_limits(plan);
  drop_privileges(plan);
  die_with_parent(plan);
  const unsigned long no_signals[_NSIG / 8 / sizeof(unsigned long)] = {};
  check(plan, syscall(SYS_rt_sigprocmask, SIG_SETMASK, no_signals, nullptr, _NSIG / 8),
        "sigprocmask");
  exec(plan);
  return 0;
}

}  // namespace tine::uv
