#include "spawn/pidfd_subprocess.hpp"

#include <chrono>
#include <csignal>
#include <utility>

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spawn/reaper.hpp"

namespace tine::spawn {

namespace {

constexpr auto between_looks = std::chrono::milliseconds(20);

// Returns the peak memory of this process, in the system's unit.
long most_memory() {
  rusage ours{};
  getrusage(RUSAGE_SELF, &ours);
  return ours.ru_maxrss;
}

SubprocessExit exit_of(const siginfo_t& info, const rusage& usage) {
  const bool exited = info.si_code == CLD_EXITED;
  return {.known = true,
          .code = exited ? info.si_status : 0,
          .signal = exited ? 0 : info.si_status,
          .usage = usage};
}

}  // namespace

// Does everything that can fail before the program runs, except for the watch.
PidfdSubprocess::PidfdSubprocess(uv::LoopCore& core, const SubprocessOptions& options,
                                 Exited exited)
    : core_(core), exited_(std::move(exited)) {
  auto handle = std::make_unique<uv_poll_t>();
  ClonedChild child = clone_spawn(options);
  pid_ = child.pid;
  our_most_memory_ = most_memory();
  pidfd_.emplace(std::move(child.pidfd));
  try {
    watch(std::move(handle));
  } catch (...) {
    kill(SIGKILL);
    siginfo_t unused;
    wait_for(pidfd_->get(), unused, WEXITED, nullptr);
    throw;
  }
}

PidfdSubprocess::~PidfdSubprocess() {
  if (pidfd_ && getpid() == parent_) Reaper::instance().take(pid_);
}

// The kernel may have no memory for a watch.
void PidfdSubprocess::watch(std::unique_ptr<uv_poll_t> handle) {
  if (uv_poll_init(core_.native(), handle.get(), pidfd_->get()) < 0) return look_later();
  watch_.reset(handle.release());
  watch_->data = this;
  uv_poll_start(watch_.get(), UV_READABLE, [](uv_poll_t* watched, int, int) {
    auto* const self = static_cast<PidfdSubprocess*>(watched->data);
    if (self != nullptr) self->core_.enter([self] { self->look(); });
  });
}

// Looks for the exit now and then, if it cannot be watched.
void PidfdSubprocess::look_later() {
  watch_.reset();
  if (!looks_) {
    looks_.emplace(core_, [this] { look(); });
    looks_->set_ref(ref_);
  }
  looks_->start(between_looks);
}

// If somebody else has waited for the program, we only know that it has ended. If it has ended but
// a tracer has to wait for it first, the pidfd is ready all that time, so this looks again later.
void PidfdSubprocess::look() {
  siginfo_t info;
  rusage usage{};
  const int result = wait_for(pidfd_->get(), info, WEXITED | WNOHANG, &usage);
  if (result == 0 && info.si_pid == 0) return look_later();
  // The system also counts the memory from before exec, which was ours.
  if (usage.ru_maxrss <= our_most_memory_) usage.ru_maxrss = 0;
  watch_.reset();
  looks_.reset();
  pidfd_.reset();
  const auto report = std::move(exited_);  // it may destroy the subprocess
  report(result == 0 ? exit_of(info, usage) : SubprocessExit{});
}

// First checks whether the program has exited: until it is waited for, it still accepts signals
// without an error. In a copy of its parent, made by fork(), the program is not ours to end.
bool PidfdSubprocess::kill(int signal) {
  return pidfd_ && getpid() == parent_ && !has_exited(pidfd_->get()) &&
         send_signal(pidfd_->get(), signal) == 0;
}

void PidfdSubprocess::set_ref(bool ref) {
  ref_ = ref;
  if (watch_) uv::set_ref(watch_, ref);
  if (looks_) looks_->set_ref(ref);
}

}  // namespace tine::spawn
