#include "spawn/reaper.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <system_error>
#include <thread>

#include <sys/wait.h>

namespace tine::spawn {

namespace {

// A guard that blocks all signals, so that a thread that is started meanwhile gets none of the
// program's signals, from its first moment on.
class SignalsForOthers {
 public:
  SignalsForOthers() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  SignalsForOthers(const SignalsForOthers&) = delete;
  SignalsForOthers& operator=(const SignalsForOthers&) = delete;
  ~SignalsForOthers() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

}  // namespace

Reaper& Reaper::instance() {
  static auto* const reaper = new Reaper;
  return *reaper;
}

void Reaper::take(int pid) {
  const std::lock_guard lock(mutex_);
  pids_.push_back(pid);
  if (running_) return;
  const SignalsForOthers blocked;
  try {
    std::thread([this] { run(); }).detach();
    running_ = true;
  } catch (const std::system_error&) {
    // No thread can be started: zombies remain until the next take() or the end of this process.
  }
}

void Reaper::run() {
  constexpr auto look_interval = std::chrono::milliseconds(20);
  while (look()) std::this_thread::sleep_for(look_interval);
}

// Returns false if no program is left.
bool Reaper::look() {
  const std::lock_guard lock(mutex_);
  std::erase_if(pids_, [](int pid) {
    const int result = waitpid(pid, nullptr, WNOHANG);
    return result == pid || (result < 0 && errno == ECHILD);
  });
  running_ = !pids_.empty();
  return running_;
}

}  // namespace tine::spawn
