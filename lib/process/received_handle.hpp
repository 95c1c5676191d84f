#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "base/descriptor.hpp"
#include "tine/datagram.hpp"
#include "tine/server.hpp"
#include "tine/socket.hpp"
#include "uv/loop_core.hpp"

namespace tine::process {

// A handle that came beside a message. It stays a descriptor until the program asks for its server,
// socket or datagram socket. If the program never does, the descriptor is closed.
class ReceivedHandle final : public uv::Resident {
 public:
  enum class Kind { server, socket, datagram };

  // `token` is held until the socket is closed, whoever owns the socket then.
  ReceivedHandle(uv::LoopCore& core, Kind kind, base::Descriptor descriptor,
                 std::shared_ptr<void> token)
      : Resident(core), kind_(kind), descriptor_(std::move(descriptor)), token_(std::move(token)) {}

  // Whether the descriptor is still here: nobody asked for the object, or took the descriptor.
  bool untouched() const { return descriptor_.has_value(); }

  Kind kind() const { return kind_; }
  const base::Descriptor& descriptor() const { return *descriptor_; }
  // Takes the descriptor out, for any purpose.
  base::Descriptor take();
  void close() noexcept { loop_closing(); }

  // Return the object. Empty if it is of another kind, or the loop is gone. Throw Error.
  Server server();
  Socket socket();
  Datagram datagram();

  void loop_closing() noexcept override {
    descriptor_.reset();
    token_.reset();
  }

 private:
  bool is(Kind kind) const { return kind == kind_ && descriptor_ && core() != nullptr; }

  Kind kind_;
  std::optional<base::Descriptor> descriptor_;
  std::shared_ptr<void> token_;
  Server server_;
  Socket socket_;
  Datagram datagram_;
};

}  // namespace tine::process
