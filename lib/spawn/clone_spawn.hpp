#pragma once

#include <csignal>

#include "spawn/subprocess.hpp"

namespace tine::spawn {

// A descriptor that came from clone(). It is closed by a system call too: ThreadSanitizer has not
// seen it come, and would take it for an earlier descriptor of that number.
class Pidfd {
 public:
  explicit Pidfd(int fd) : fd_(fd) {}
  Pidfd(Pidfd&& other) noexcept : fd_(other.fd_.release()) {}
  Pidfd& operator=(Pidfd&&) = delete;
  ~Pidfd();

  int get() const { return fd_.get(); }

 private:
  base::Descriptor fd_;
};

// A running program and its pidfd.
struct ClonedChild {
  int pid;
  Pidfd pidfd;
};

// Returns whether this system has all that clone_spawn(), and waiting for its child, need.
bool clone_spawn_works();

// Starts a program from a clone that shares our memory until exec, so nothing is copied, however
// much memory we have. With uid or gid the clone gets a copy. The calling thread waits until exec;
// the others go on.
//
// Throws SpawnError, and nothing is left of the child then. ECANCELED: it was killed before exec.
ClonedChild clone_spawn(const SubprocessOptions& options);

// Returns whether the child of a pidfd has exited, waited for or not.
bool has_exited(int pidfd);
// Does what waitid() does, for the child of a pidfd, and also returns its resource usage.
int wait_for(int pidfd, siginfo_t& info, int flags, rusage* usage);
// Does what kill() does: returns -1 and sets errno if the signal cannot be sent.
int send_signal(int pidfd, int signal);

}  // namespace tine::spawn
