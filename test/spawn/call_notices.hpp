#pragma once

#include <cstddef>
#include <functional>
#include <future>
#include <stdexcept>
#include <thread>
#include <vector>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/descriptor.hpp"

namespace call_notices {

using Calls = std::vector<unsigned>;

// Makes these system calls wait for an answer, in this thread and in what it starts. Returns the
// descriptor that tells of the calls. This cannot be undone, so the thread should end soon.
inline int listen(const Calls& calls) {
  std::vector<sock_filter> filter = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
  for (const unsigned call : calls) {
    filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1));
    filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF));
  }
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  return static_cast<int>(
      syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program));
}

// Gets the process and the number of its system call. Returns the error that the call fails with, or
// 0.
using Answer = std::function<int(pid_t process, int call)>;

// Calls start() in a thread, and answer() for each of these calls of what it starts, before the call.
// So a test need not be quick to do something at that moment.
inline void watch(const std::function<void()>& start, const Answer& answer,
                  const Calls& calls = {SYS_execve, SYS_nanosleep}) {
  std::promise<int> listening;
  std::thread starter([&] {
    listening.set_value(listen(calls));
    start();
  });
  const tine::base::Descriptor notices(listening.get_future().get());
  // There is a hangup when the thread and all that it started are gone. A signal, such as SIGCHLD,
  // may interrupt both calls before that.
  pollfd ready{notices.get(), POLLIN, 0};
  while (notices.get() >= 0 && (ready.revents & POLLHUP) == 0) {
    if (poll(&ready, 1, -1) != 1 || (ready.revents & POLLIN) == 0) continue;
    seccomp_notif notice{};
    if (ioctl(notices.get(), SECCOMP_IOCTL_NOTIF_RECV, &notice) != 0) continue;
    seccomp_notif_resp response{};
    response.id = notice.id;
    const auto caller = static_cast<pid_t>(notice.pid);
    response.error = caller == getpid() ? 0 : -answer(caller, notice.data.nr);
    if (response.error == 0) response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    ioctl(notices.get(), SECCOMP_IOCTL_NOTIF_SEND, &response);  // fails if the process is dead
  }
  starter.join();
  if (notices.get() < 0) throw std::runtime_error("seccomp() does not tell of system calls here");
}

}  // namespace call_notices
