#pragma once

#include <functional>
#include <optional>

#include <sys/socket.h>

#include "base/descriptor.hpp"
#include "uv/loop_core.hpp"
#include "uv/poll.hpp"

namespace tine::uv {

// A stream socket that is being connected. The destructor closes it.
class Connector {
 public:
  // `done` is called once, from inside LoopCore::enter(), with 0 when the socket is connected, or
  // with an errno. It may destroy the connector.
  Connector(LoopCore& core, base::Descriptor socket, std::function<void(int error)> done);

  // Starts to connect; must be called only once. Returns 0 if `done` will follow, or an errno if it
  // will not. Throws Error.
  int connect(const sockaddr* address, socklen_t size);

  void set_ref(bool ref);
  // Returns the socket. The connector is of no use afterwards.
  base::Descriptor take() noexcept;

 private:
  void look();

  LoopCore& core_;
  std::function<void(int)> done_;
  base::Descriptor socket_;
  std::optional<Poll> poll_;
};

}  // namespace tine::uv
