// The message channel between a parent and a child: its limits, and a handle to it.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <system_error>

namespace tine::channel {
class Endpoint;
}

#pragma GCC visibility push(default)

namespace tine {

// The limits of one end of a channel. Sizes are bytes of JSON text.
//
// Node: none of them can be set, and most do not exist.
struct ChannelOptions {
  // Longest line taken. A longer one is an "error" and ends the channel: where the next one begins
  // cannot be told.
  std::size_t max_line = std::size_t{256} << 20;

  // How deeply arrays and objects may be nested, received and sent: `[[1]]` is 2 deep. Deeper ones
  // are an "error" for that line, and refused by send(). At most 10 000, whatever is set.
  std::size_t max_depth = 1000;

  // send() returns false once this much is queued, and "drain" comes when half of it is written.
  std::size_t send_mark = std::size_t{128} << 10;

  // send() refuses what would queue more than this. A message on an empty queue always fits.
  std::size_t send_limit = std::size_t{256} << 20;

  // How much waits here for a first "message" listener; past it reading pauses, and the peer waits.
  std::size_t stored_limit = std::size_t{1} << 20;

  // How many descriptors may have come whose message is not told yet. What is more is closed, and an
  // "error". 0: none is taken; a message that comes with one is refused, which the sender is told.
  std::size_t descriptor_limit = 16;

  // How long to wait until the peer says that a handle has arrived, which holds back all that is sent
  // after it. Then the handle is given up, which is an "error". 0: for ever, as in Node.
  std::chrono::milliseconds handle_timeout = std::chrono::seconds(10);

  // How long to go on writing to a peer that takes no byte, once the channel is to close: after
  // disconnect(), in Process::exit(), or when nothing but the unwritten keeps run() from returning.
  std::chrono::milliseconds flush_timeout = std::chrono::seconds(5);
};

// Told what became of a sent message: no error once its last byte was given to the kernel.
//
// Runs exactly once, on a later turn of the loop. Errors: Errc::channel_closed, invalid_value and
// queue_full for a message that was refused; EPIPE or ECONNRESET when the peer went away first, and
// ECANCELED when flush_timeout ran out. Of a child that could not be started: the error that says why.
using SendCallback = std::function<void(std::error_code)>;

// One end of a channel. A handle: copy it, keep it, drop it. Calls on a closed channel do nothing.
//
// Node: subprocess.channel, process.channel.
class Channel {
 public:
  // Whether the open channel keeps Loop::run() from returning. By default it does in the parent,
  // and in the child while there is a "message" or "disconnect" listener; after the first call of
  // either of these it does as they say.
  void ref();
  void unref();

  // Stops and starts the delivery of messages. A paused channel reads no more than it already has,
  // so the peer is held up; its end is noticed all the same.
  void pause();
  void resume();

  // Writes what is queued, as far as the kernel takes it now. Whether that was all.
  //
  // There is no need to, except before abort() or _exit(), or before a long computation in a program that
  // sends more than some 16 messages in a millisecond: see ChannelEnd::send().
  bool flush();

  // False once it has ended and all that came in before is delivered, or when there was none.
  //
  // Node: channel is undefined then, or null.
  bool open() const;

  // Bytes that are accepted and not yet given to the kernel.
  std::size_t queued_bytes() const;

  // Bytes of a last line that the peer had not ended when the channel did: it was dropped, which is
  // no error. 0 while the channel is open.
  std::size_t torn_bytes() const;

  // Messages that were sent and lost: they could not be written before the channel closed, or were sent
  // after that. A message that was given to the kernel does not count, even if the peer ended before it
  // read the message.
  //
  // Node: none.
  std::size_t lost_messages() const;

  // Whether the peer has read all that was given to the kernel, or is gone. What it makes of it is
  // another matter: it may have work to do for what it has read.
  bool peer_has_read_all() const;

 private:
  friend class ChannelEnd;
  explicit Channel(std::shared_ptr<channel::Endpoint> end) : end_(std::move(end)) {}

  std::shared_ptr<channel::Endpoint> end_;
};

}  // namespace tine

#pragma GCC visibility pop
