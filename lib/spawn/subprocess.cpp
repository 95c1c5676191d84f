#include "spawn/subprocess.hpp"

#include <array>
#include <atomic>
#include <utility>

#include <sys/socket.h>
#include <unistd.h>

#include "spawn/uv_subprocess.hpp"
#ifdef __linux__
#include "spawn/clone_spawn.hpp"
#include "spawn/pidfd_subprocess.hpp"
#endif

namespace tine::spawn {

namespace {

std::atomic<bool> always_uv_spawn = false;

}  // namespace

SocketPair make_socket_pair() {
  std::array<uv_os_sock_t, 2> ends{};
  if (const int error = uv_socketpair(SOCK_STREAM, 0, ends.data(), 0, 0); error < 0) {
    throw SpawnError(-error, "socketpair");
  }
  return {base::Descriptor(ends[0]), base::Descriptor(ends[1])};
}

bool SubprocessOptions::ids_are_ours() const {
  return uid.value_or(geteuid()) == geteuid() && gid.value_or(getegid()) == getegid();
}

bool Subprocess::does_all() {
#ifdef __linux__
  return !always_uv_spawn && clone_spawn_works();
#else
  return false;
#endif
}

void Subprocess::use_uv_spawn(bool always) { always_uv_spawn = always; }

std::unique_ptr<Subprocess> Subprocess::start(uv::LoopCore& core, const SubprocessOptions& options,
                                              Exited exited) {
#ifdef __linux__
  if (does_all()) return std::make_unique<PidfdSubprocess>(core, options, std::move(exited));
#endif
  return std::make_unique<UvSubprocess>(core, options, std::move(exited));
}

}  // namespace tine::spawn
