#pragma once

#include <chrono>
#include <cstddef>

#include "channel/context.hpp"
#include "channel/outbox.hpp"
#include "uv/stream.hpp"
#include "uv/timer.hpp"

namespace tine::channel {

// The stream of an open channel. It notices a peer that takes no bytes while the channel is to
// close: because of disconnect(), or because nothing else keeps the loop alive.
class Transport {
 public:
  class User : public uv::Stream::User {
   public:
    // Called when the peer takes no bytes any more: with EPIPE if it is gone, with ECANCELED if it
    // took none in ChannelOptions::flush_timeout. May destroy the transport.
    virtual void on_give_up(int error) noexcept = 0;

   protected:
    ~User() = default;
  };

  Transport(const Context& context, uv::StreamEnds ends, User& user);

  uv::Stream& stream() { return stream_; }
  const uv::Stream& stream() const { return stream_; }

  // Writes as much of the piece as the kernel takes now. Returns the number of bytes, or a negated
  // errno.
  int write(const Outbox::Piece& piece) noexcept {
    return stream_.write(piece.bytes, piece.then, piece.beside);
  }

  // Makes the user's on_writable() follow, or give_up().
  void await_writable() noexcept;
  bool awaiting_writable() const { return stream_.awaiting_writable(); }
  // Must be called when on_writable() came.
  void writable() { stalled_.stop(); }

  // Announces that the channel closes once everything is written.
  void start_closing();
  bool closing() const { return closing_; }

 private:
  void on_stalled();
  void wait_for_progress() noexcept;

  const Context& context_;
  uv::Stream stream_;
  User& user_;
  uv::RawTimer stalled_;
  std::size_t unread_ = 0;  // bytes unread by the peer when stalled_ was started
  bool closing_ = false;
  bool was_to_close_ = false;  // when stalled_ last expired
};

}  // namespace tine::channel
