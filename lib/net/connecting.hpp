#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "base/descriptor.hpp"
#include "net/socket_address.hpp"
#include "uv/connector.hpp"
#include "uv/lookup.hpp"
#include "uv/loop_core.hpp"

namespace tine::net {

// A connection that is being made: to the first of some addresses that accepts it. The destructor
// gives up.
class Connecting {
 public:
  // Called once: with the error of the last address, or without an error and with the connected
  // socket. May destroy the object, and may not run user code.
  using Done = std::function<void(std::error_code error, base::Descriptor socket)>;

  Connecting(uv::LoopCore& core, Done done) : core_(core), done_(std::move(done)) {}
  Connecting(const Connecting&) = delete;
  Connecting& operator=(const Connecting&) = delete;

  // One of these is to be called, and once. Failures that are noticed at once reach `done` before
  // this returns. There must be at least one address.
  void connect(std::deque<SocketAddress> addresses) noexcept;
  // Looks the addresses up first. Throws Error.
  void connect(const std::string& host, std::uint16_t port);

  // Sets whether this keeps the loop alive. A lookup always does.
  void set_ref(bool ref);

 private:
  void try_next() noexcept;
  std::error_code try_address(const SocketAddress& address) noexcept;
  void tried(int error);
  void finish(std::error_code error, base::Descriptor socket = base::Descriptor(-1));

  uv::LoopCore& core_;
  Done done_;
  bool ref_ = true;
  std::unique_ptr<uv::Lookup> lookup_;
  std::deque<SocketAddress> addresses_;  // left to try
  std::unique_ptr<uv::Connector> connector_;
};

}  // namespace tine::net
