#pragma once

#include <cstddef>
#include <functional>
#include <system_error>

namespace tine::net {

// Connections of a server that were passed to another process.
//
// Each callback runs once, on a later turn, from a task or inside LoopCore::enter(). If the loop
// goes away first, the callback does not run.
class PeerConnections {
 public:
  virtual ~PeerConnections() = default;

  // Counts the open connections.
  virtual void count(std::function<void(std::error_code, std::size_t)> counted) = 0;
  // Calls `all_closed` when no connection is open any more, or when the process that has them can
  // no longer be asked. To be called once.
  virtual void when_all_closed(std::function<void()> all_closed) = 0;
};

}  // namespace tine::net
