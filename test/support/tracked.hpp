// A descriptor to pass on. It shows whether any process still has it.
#pragma once

#include <array>
#include <utility>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/catch.hpp"

// One end of a pair of stream sockets. When the last copy of it is closed, the other end reads EOF.
class Tracked {
 public:
  Tracked() { REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_.data()) == 0); }
  Tracked(const Tracked&) = delete;
  Tracked& operator=(const Tracked&) = delete;
  ~Tracked() {
    drop();
    ::close(ends_[1]);
  }

  int fd() const { return ends_[0]; }
  // Gives the descriptor to the caller, who must close it.
  [[nodiscard]] int release() { return std::exchange(ends_[0], -1); }
  void drop() {
    if (ends_[0] >= 0) ::close(release());
  }

  // Returns whether the descriptor is open in any process, or on its way to one.
  bool open_somewhere() const { return !ends_within(0); }
  bool ends_within(int milliseconds) const {
    pollfd state{ends_[1], POLLIN, 0};
    return poll(&state, 1, milliseconds) > 0;
  }

 private:
  std::array<int, 2> ends_{};
};
