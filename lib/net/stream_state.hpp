#pragma once

#include <memory>
#include <string_view>

#include "net/byte_stream_state.hpp"
#include "tine/stream.hpp"
#include "uv/descriptor.hpp"
#include "uv/loop_core.hpp"

namespace tine::net {

// What stands behind tine::Stream. The loop keeps it until "close".
class StreamState final
    : public ByteStreamState<Event<"data", std::string_view>, Event<"end">, Event<"drain">,
                             Event<"error", Error>, Event<"close">> {
 public:
  using ByteStreamState::ByteStreamState;

  Stream handle();
  // For one whose descriptor is not to be had, of which somebody else is told. If it is open, it is
  // destroyed.
  void give_up() noexcept;
};

// A stream over a stream descriptor: a pipe, a socket, a terminal. Throws Error.
std::shared_ptr<StreamState> make_stream(uv::LoopCore& core, uv::Descriptor descriptor,
                                         Direction direction);

}  // namespace tine::net
