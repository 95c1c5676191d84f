#include "uv/subprocess.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <mutex>
#include <system_error>
#include <thread>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tine::uv {

namespace {

// Waits for programs that outlive their loop: libuv does so on a loop only. One thread, which ends with
// the last of them.
class Reaper {
 public:
  // Never destroyed: the thread may outlive main.
  static Reaper& instance() {
    static auto* const reaper = new Reaper;
    return *reaper;
  }

  void take(int pid) {
    const std::lock_guard lock(mutex_);
    pids_.push_back(pid);
    if (running_) return;
    try {
      std::thread([this] { run(); }).detach();
      running_ = true;
    } catch (const std::system_error&) {
      // No thread is to be had: zombies, until the next one is taken or this process ends.
    }
  }

 private:
  void run() {
    constexpr auto between_looks = std::chrono::milliseconds(20);
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    while (look()) std::this_thread::sleep_for(between_looks);
  }

  // False: none is left.
  bool look() {
    const std::lock_guard lock(mutex_);
    std::erase_if(pids_, [](int pid) {
      const int result = waitpid(pid, nullptr, WNOHANG);
      return result == pid || (result < 0 && errno == ECHILD);
    });
    running_ = !pids_.empty();
    return running_;
  }

  std::mutex mutex_;
  std::vector<int> pids_;
  bool running_ = false;
};

std::vector<char*> null_ended(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& string : strings) pointers.push_back(const_cast<char*>(string.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

uv_stdio_container_t inherit(int fd) {
  uv_stdio_container_t slot{};
  slot.flags = fcntl(fd, F_GETFD) < 0 ? UV_IGNORE : UV_INHERIT_FD;  // we may run without a stdin
  slot.data.fd = fd;
  return slot;
}

}  // namespace

SocketPair make_socket_pair() {
  std::array<uv_os_sock_t, 2> ends{};
  if (const int error = uv_socketpair(SOCK_STREAM, 0, ends.data(), 0, 0); error < 0) {
    throw std::system_error(-error, std::generic_category(), "a channel could not be made");
  }
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

Subprocess::Subprocess(LoopCore& core, const SubprocessOptions& options, int channel, Exited exited)
    : core_(core), exited_(std::move(exited)) {
  std::array<uv_stdio_container_t, channel_descriptor + 1> stdio{inherit(0), inherit(1), inherit(2),
                                                                 inherit(channel)};
  std::vector<char*> args = null_ended(options.args);
  std::vector<char*> env = null_ended(options.env);

  uv_process_options_t spawn{};
  spawn.file = args[0];
  spawn.args = args.data();
  spawn.env = env.data();
  spawn.cwd = options.cwd.empty() ? nullptr : options.cwd.c_str();
  spawn.stdio_count = static_cast<int>(stdio.size());
  spawn.stdio = stdio.data();
  spawn.exit_cb = [](uv_process_t* handle, std::int64_t code, int signal) {
    auto* const self = static_cast<Subprocess*>(handle->data);
    if (self == nullptr) return;
    self->core_.enter([self, code, signal] {
      self->process_.reset();
      const auto tell = std::move(self->exited_);  // it may destroy the subprocess
      tell(code, signal);
    });
  };
  auto process = std::make_unique<uv_process_t>();
  const int error = uv_spawn(core.native(), process.get(), &spawn);
  process_.reset(process.release());  // to be closed by libuv's way, also if it was not started
  if (error < 0) throw std::system_error(-error, std::generic_category());
  process_->data = this;
  pid_ = process_->pid;
}

Subprocess::~Subprocess() {
  if (process_ && pid_ > 0) Reaper::instance().take(pid_);
}

bool Subprocess::is_lost() {
  siginfo_t unused{};
  const auto id = static_cast<id_t>(pid_);
  const bool known =
      waitid(P_PID, id, &unused, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
  if (!known) process_.reset();
  return !known;
}

// Asks first whether the pid is still our child's: one that was waited for may be somebody else's
// by now.
bool Subprocess::kill(int signal) {
  if (!process_) return false;
  siginfo_t state{};
  const auto id = static_cast<id_t>(pid_);
  const int result = waitid(P_PID, id, &state, WEXITED | WNOHANG | WNOWAIT);
  if (result < 0 || state.si_pid != 0) return false;
  return uv_process_kill(process_.get(), signal) == 0;
}

void Subprocess::set_ref(bool ref) {
  if (process_) uv::set_ref(process_, ref);
}

}  // namespace tine::uv
