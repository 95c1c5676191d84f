#pragma once

#include <csignal>

#include "uv/subprocess.hpp"

namespace tine::uv {

// A descriptor that has come from clone(), closed by a system call too: ThreadSanitizer has not seen it
// come, and would take it for what had its number before.
class Pidfd {
 public:
  explicit Pidfd(int fd) : fd_(fd) {}
  Pidfd(Pidfd&& other) noexcept : fd_(other.fd_.release()) {}
  Pidfd& operator=(Pidfd&&) = delete;
  ~Pidfd();

  int get() const { return fd_.get(); }

 private:
  Descriptor fd_;
};

// A program that runs, and the descriptor that stands for it.
struct ClonedChild {
  int pid;
  Pidfd pidfd;
};

// Whether this system has all that a child of clone_spawn() is started and waited for with.
bool clone_spawn_works();

// Starts a program from a clone that shares our memory until exec: nothing is copied, however much we
// have; but with uid or gid the clone has a copy. This thread stands still until then, the others go on.
//
// Throws SpawnError; nothing is left of the child then. ECANCELED: it was killed before exec.
ClonedChild clone_spawn(const SubprocessOptions& options);

// Whether the child of a pidfd has exited, be it waited for or not.
bool has_exited(int pidfd);
// As waitid() for the child of a pidfd, which also tells what it has used.
int wait_for(int pidfd, siginfo_t& info, int flags, rusage* usage);
// As kill(): -1 and errno if it cannot be sent.
int send_signal(int pidfd, int signal);

}  // namespace tine::uv
