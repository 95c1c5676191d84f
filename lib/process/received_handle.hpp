#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "tine/handle.hpp"
#include "uv/descriptor.hpp"
#include "uv/loop_core.hpp"

namespace tine::process {

// A handle that came beside a message. It stays a descriptor until the program asks for its server,
// socket or datagram socket. If the program never does, the descriptor is closed.
class ReceivedHandle final : public uv::Resident {
 public:
  enum class Kind { server, socket, datagram };

  // `token` is held until the socket is closed, whoever owns the socket then.
  ReceivedHandle(uv::LoopCore& core, Kind kind, uv::Descriptor descriptor,
                 std::shared_ptr<void> token)
      : Resident(core), kind_(kind), descriptor_(std::move(descriptor)), token_(std::move(token)) {}

  static Handle handle(std::shared_ptr<ReceivedHandle> received) {
    return Handle(std::move(received));
  }

  // Returns null if the handle did not come beside a message, or its object was asked for already.
  static ReceivedHandle* untouched(const Handle& handle);

  Kind kind() const { return kind_; }
  const uv::Descriptor& descriptor() const { return *descriptor_; }
  // Takes the descriptor out, for any purpose.
  uv::Descriptor take();
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
  std::optional<uv::Descriptor> descriptor_;
  std::shared_ptr<void> token_;
  Server server_;
  Socket socket_;
  Datagram datagram_;
};

}  // namespace tine::process
