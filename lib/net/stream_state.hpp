#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <utility>

#include "net/byte_stream.hpp"
#include "tine/emitter.hpp"
#include "tine/stream.hpp"
#include "uv/descriptor.hpp"
#include "uv/loop_core.hpp"

namespace tine::net {

// What stands behind tine::Stream. The loop keeps it until "close".
class StreamState final
    : public detail::ListenerTable<Event<"data", std::string_view>, Event<"end">, Event<"drain">,
                                   Event<"error", Error>, Event<"close">>,
      public ByteStream::Owner,
      public uv::Resident {
 public:
  explicit StreamState(uv::LoopCore& core) : Resident(core), bytes_(core, *this) {}

  ByteStream& bytes() { return bytes_; }
  Stream handle();
  // For one whose descriptor is not to be had, of which somebody else is told. If it is open, it is
  // destroyed.
  void give_up() noexcept;

  // Called once, when "close" has been told, or at once if it has. It must not run code of the
  // user's. When the loop goes before that it is dropped.
  void when_closed(std::function<void()> observer);

  bool wants_data() const override { return list<"data">().count() > 0; }
  void on_data(std::string_view bytes) override { emit<"data">(bytes); }
  void on_end() override { emit<"end">(); }
  void on_drain() override { emit<"drain">(); }
  void on_error(Error error) override;
  void on_close() override { emit<"close">(); }
  void on_closed() override;

  void listeners_changed() override { bytes_.listeners_changed(); }
  void loop_closing() noexcept override;

 private:
  ByteStream bytes_;
  std::function<void()> observer_;
  bool closed_ = false;
  bool errors_dropped_ = false;  // those that have no listener, as it went with "close"
};

// A stream over a stream descriptor: a pipe, a socket, a terminal. Throws Error.
std::shared_ptr<StreamState> make_stream(uv::LoopCore& core, uv::Descriptor descriptor,
                                         Direction direction);

}  // namespace tine::net
