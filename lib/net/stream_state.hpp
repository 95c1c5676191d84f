#pragma once

#include <memory>
#include <string_view>

#include "base/descriptor.hpp"
#include "net/byte_stream_state.hpp"
#include "tine/stream.hpp"
#include "uv/loop_core.hpp"

namespace tine::net {

// The state behind tine::Stream. The loop keeps it until "close".
class StreamState final : public ByteStreamState<Stream::Listeners> {
 public:
  using ByteStreamState::ByteStreamState;

  Stream handle();
  // Closes the stream, open or not, after a failure that is reported elsewhere.
  void give_up() noexcept;
};

// Creates a stream over a stream descriptor: a pipe, a socket or a terminal. Throws Error.
std::shared_ptr<StreamState> make_stream(uv::LoopCore& core, base::Descriptor descriptor,
                                         Direction direction);

}  // namespace tine::net
