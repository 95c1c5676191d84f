#pragma once

#include <chrono>
#include <optional>

namespace tine::net {

// The options of a TCP socket. They may be chosen before there is a socket.
struct TcpOptions {
  struct KeepAlive {
    bool on;
    std::chrono::seconds after;  // zero: the system's default
  };

  std::optional<bool> no_delay{};
  std::optional<KeepAlive> keep_alive{};

  // Sets what was chosen. A socket that is not TCP rejects or ignores it.
  void apply_to(int fd) const noexcept;
};

}  // namespace tine::net
