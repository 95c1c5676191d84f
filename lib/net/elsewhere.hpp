#pragma once

#include <cstddef>
#include <functional>
#include <system_error>

namespace tine::net {

// Connections of a server that were passed to another process.
//
// Each callback runs once, later, by a task or inside LoopCore::enter(), if the loop lives.
class Elsewhere {
 public:
  virtual ~Elsewhere() = default;

  // How many are open.
  virtual void count(std::function<void(std::error_code, std::size_t)> counted) = 0;
  // When none is open any more, or nobody knows of any. Asked for once.
  virtual void when_all_closed(std::function<void()> all_closed) = 0;
};

}  // namespace tine::net
