#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "base/descriptor.hpp"
#include "net/byte_stream_state.hpp"
#include "tine/stream.hpp"
#include "uv/loop_core.hpp"

namespace tine::net {

// What tine::Stream needs of the state behind it, whatever kind of descriptor that has. The
// functions do what those of tine::Stream do. The loop keeps the state until "close".
class StreamBackend : public Stream::Listeners {
 public:
  virtual bool write(std::string_view bytes, SendCallback written) = 0;
  virtual void end(std::string_view last) = 0;
  virtual void destroy() = 0;
  // pause() and resume().
  virtual void set_flowing(bool flowing) = 0;
  virtual bool readable() const = 0;
  virtual bool writable() const = 0;
  virtual std::size_t queued_bytes() const = 0;
  virtual void set_ref(bool ref) = 0;

 protected:
  static Stream handle_of(std::shared_ptr<StreamBackend> state) { return Stream(std::move(state)); }
};

// The state of a stream that the loop can wait for.
class StreamState final : public ByteStreamState<StreamBackend> {
 public:
  using ByteStreamState::ByteStreamState;

  Stream handle();
  // Closes the stream, open or not, after a failure that is reported elsewhere.
  void give_up() noexcept;

  bool write(std::string_view bytes, SendCallback written) override;
  void end(std::string_view last) override { bytes().end(last); }
  void destroy() override { bytes().destroy(); }
  void set_flowing(bool flowing) override { bytes().set_flowing(flowing); }
  bool readable() const override { return bytes().readable(); }
  bool writable() const override { return bytes().writable(); }
  std::size_t queued_bytes() const override { return bytes().queued(); }
  void set_ref(bool ref) override { bytes().set_ref(ref); }
};

// Creates a stream over a stream descriptor: a pipe, a socket or a terminal. Throws Error.
std::shared_ptr<StreamState> make_stream(uv::LoopCore& core, base::Descriptor descriptor,
                                         Direction direction);

}  // namespace tine::net
