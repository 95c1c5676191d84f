#pragma once

#include <functional>
#include <optional>

#include <sys/socket.h>

#include "uv/descriptor.hpp"
#include "uv/loop_core.hpp"
#include "uv/poll.hpp"

namespace tine::uv {

// A stream socket that is being connected. Closes it when it is destroyed.
class Connector {
 public:
  // `done` is called once, from inside LoopCore::enter(), with 0 or an errno, and may destroy the
  // connector: 0 when descriptor() is connected.
  Connector(LoopCore& core, Descriptor socket, std::function<void(int error)> done);

  // To be called once. 0: `done` will follow. Else an errno, and it will not. Throws Error.
  int connect(const sockaddr* address, socklen_t size);

  void set_ref(bool ref);
  // Of no use to this object any more.
  Descriptor take() noexcept;

 private:
  void look();

  LoopCore& core_;
  std::function<void(int)> done_;
  Descriptor socket_;
  std::optional<Poll> poll_;
};

}  // namespace tine::uv
