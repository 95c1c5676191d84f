#include "spawn/uv_subprocess.hpp"

#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

#include <sys/wait.h>
#include <unistd.h>

#include "spawn/null_ended.hpp"
#include "spawn/reaper.hpp"
#include "spawn/stdio_slots.hpp"

namespace tine::spawn {

namespace {

std::vector<uv_stdio_container_t> containers(const std::vector<int>& slots) {
  std::vector<uv_stdio_container_t> all;
  for (const int fd : slots) {
    uv_stdio_container_t container{};
    container.flags = UV_INHERIT_FD;
    container.data.fd = fd;
    all.push_back(container);
  }
  return all;
}

void verify(const SubprocessOptions& options) {
  if (options.new_group) throw SpawnError(ENOTSUP, "setpgid");
  if (!options.limits.empty()) throw SpawnError(ENOTSUP, "setrlimit");
  if (options.nice) throw SpawnError(ENOTSUP, "setpriority");
  if (options.parent_death_signal != 0) throw SpawnError(ENOTSUP, "prctl");
  // uv_spawn() does not report whether the groups were dropped.
  if ((options.uid || options.gid) && geteuid() != 0 && !options.ids_are_ours())
    throw SpawnError(EPERM, "setgroups");
}

unsigned flags_of(const SubprocessOptions& options) {
  unsigned flags = 0;
  if (options.detached) flags |= UV_PROCESS_DETACHED;
  if (options.uid) flags |= UV_PROCESS_SETUID;
  if (options.gid) flags |= UV_PROCESS_SETGID;
  return flags;
}

}  // namespace

UvSubprocess::UvSubprocess(uv::LoopCore& core, const SubprocessOptions& options, Exited exited)
    : core_(core), exited_(std::move(exited)) {
  verify(options);
  StdioSlots slots(options.stdio);
  std::vector<uv_stdio_container_t> stdio = containers(slots.slots());
  std::vector<char*> args = null_ended(options.args);
  std::vector<char*> env = null_ended(options.env);

  uv_process_options_t spawn{};
  spawn.file = options.file.empty() ? args[0] : options.file.c_str();
  spawn.args = args.data();
  spawn.env = env.data();
  spawn.cwd = options.cwd.empty() ? nullptr : options.cwd.c_str();
  spawn.stdio_count = static_cast<int>(stdio.size());
  spawn.stdio = stdio.data();
  spawn.flags = flags_of(options);
  spawn.uid = options.uid.value_or(0);
  spawn.gid = options.gid.value_or(0);
  spawn.exit_cb = [](uv_process_t* handle, std::int64_t code, int signal) {
    auto* const self = static_cast<UvSubprocess*>(handle->data);
    if (self != nullptr) self->exited(code, signal);
  };
  if (const int error = start(spawn); error < 0) throw SpawnError(-error, "uv_spawn");
  process_->data = this;
  pid_ = process_->pid;
}

// Retries for a moment on ETXTBSY: a program that was just written may still be open in a child of
// another thread, between its fork() and its exec.
int UvSubprocess::start(const uv_process_options_t& spawn) {
  constexpr auto longest = std::chrono::milliseconds(64);
  for (auto wait = std::chrono::milliseconds(1);; wait *= 2) {
    auto process = std::make_unique<uv_process_t>();
    const int error = uv_spawn(core_.native(), process.get(), &spawn);
    process_.reset(process.release());  // libuv must close it, even if it was not started
    if (error != UV_ETXTBSY || wait > longest) return error;
    std::this_thread::sleep_for(wait);
  }
}

UvSubprocess::~UvSubprocess() {
  if (process_ && pid_ > 0 && getpid() == parent_) Reaper::instance().take(pid_);
}

void UvSubprocess::exited(std::int64_t code, int signal) {
  core_.enter([this, code, signal] {
    process_.reset();
    const auto report = std::move(exited_);  // it may destroy the subprocess
    report({.known = true, .code = static_cast<int>(code), .signal = signal, .usage = {}});
  });
}

// libuv does not report a child that somebody else has waited for. This is rare, so it is enough to
// check now and then.
void UvSubprocess::look_for_loss() {
  constexpr auto now_and_then = std::chrono::seconds(1);
  siginfo_t unused{};
  const auto id = static_cast<id_t>(pid_);
  if (!process_) return;
  if (waitid(P_PID, id, &unused, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD) {
    process_.reset();
    const auto report = std::move(exited_);  // it may destroy the subprocess
    return report({});
  }
  if (!loss_timer_) {
    loss_timer_.emplace(core_, [this] { look_for_loss(); });
    loss_timer_->set_ref(false);
  }
  loss_timer_->start(now_and_then);
}

// First checks that the pid is still our child's: once it was waited for, the pid may belong to
// another process.
bool UvSubprocess::kill(int signal) {
  if (!process_) return false;
  siginfo_t state{};
  const auto id = static_cast<id_t>(pid_);
  const int result = waitid(P_PID, id, &state, WEXITED | WNOHANG | WNOWAIT);
  if (result < 0 || state.si_pid != 0) return false;
  return uv_process_kill(process_.get(), signal) == 0;
}

void UvSubprocess::set_ref(bool ref) {
  if (process_) uv::set_ref(process_, ref);
}

}  // namespace tine::spawn
