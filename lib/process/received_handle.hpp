#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "tine/handle.hpp"
#include "uv/descriptor.hpp"
#include "uv/loop_core.hpp"

namespace tine::process {

// A handle that came beside a message. It is a descriptor until somebody asks for what it is: so it is
// closed if nobody does.
class ReceivedHandle final : public uv::Resident {
 public:
  enum class Kind { server, socket, datagram };

  // `token` is held until a socket is closed, whoever has it then.
  ReceivedHandle(uv::LoopCore& core, Kind kind, uv::Descriptor descriptor,
                 std::shared_ptr<void> token)
      : Resident(core), kind_(kind), descriptor_(std::move(descriptor)), token_(std::move(token)) {}

  static Handle handle(std::shared_ptr<ReceivedHandle> received) {
    return Handle(std::move(received));
  }

  // Null if the handle has not come, or somebody has asked for what it is.
  static ReceivedHandle* untouched(const Handle& handle);

  Kind kind() const { return kind_; }
  const uv::Descriptor& descriptor() const { return *descriptor_; }
  // Takes it away, to whatever end.
  uv::Descriptor take();
  void close() noexcept { loop_closing(); }

  // Empty if it is something else, or the loop is gone. Throws Error.
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
