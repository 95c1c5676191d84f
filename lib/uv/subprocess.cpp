#include "uv/subprocess.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <thread>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tine::uv {

namespace {

constexpr int channel_descriptor = 3;

// A program that outlives its loop has nobody to wait for it: libuv does so on a loop only.
void wait_in_background(int pid) {
  std::thread([pid] {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
  }).detach();
}

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
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) < 0) {
    throw std::system_error(errno, std::generic_category(), "a channel could not be made");
  }
  return {ends[0], ends[1]};
}

Descriptor::~Descriptor() { ::close(fd_); }

Subprocess::Subprocess(LoopCore& core, const SubprocessOptions& options, int channel, Exited exited)
    : core_(core), exited_(std::move(exited)), process_(new uv_process_t) {
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
  const int error = uv_spawn(core.native(), process_.get(), &spawn);
  if (error < 0) throw std::system_error(-error, std::generic_category());
  process_->data = this;
  pid_ = process_->pid;
}

Subprocess::~Subprocess() {
  if (process_ && pid_ > 0) wait_in_background(pid_);
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
