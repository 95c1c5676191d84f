// The message channel between a parent and a child: its limits, and a handle to one end of it.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>

#include "tine/detail/export.hpp"

namespace tine {
class Channel;
}
namespace tine::channel {
class Endpoint;
}
namespace tine::task {
// For receive(): whether a message waits to be delivered to a listener that is there.
TINE_EXPORT bool message_follows(const Channel& channel);
}  // namespace tine::task

namespace tine {

// How the messages of a channel are written. The parent chooses; its child finds the choice in its
// environment.
//
// Node: options.serialization.
enum class Serialization {
  json,      // a line of JSON text each
  advanced,  // a value in V8's format each, which has more types than JSON: see docs/advanced.md.
             // Node and Deno have it too; what Bun calls "advanced" is another format
};

// The limits of one end of a channel. Sizes are bytes on the channel: of JSON text, or of the values
// of advanced serialization.
//
// Node: none of these can be set, and most do not exist.
struct ChannelOptions {
  // The longest message that is accepted. A longer one is an "error" and ends the channel,
  // because the start of the next one is unknown.
  std::size_t max_line = std::size_t{256} << 20;

  // How deeply arrays and objects may be nested, received and sent: `[[1]]` is 2 deep. If a received
  // message is nested more deeply, that is an "error"; send() refuses such messages. Never more than
  // 10 000, whatever is set.
  std::size_t max_depth = 1000;

  // send() returns false once this much is queued; "drain" comes when half of it is left. A
  // SharedBuffer counts with all its bytes until its message is written.
  std::size_t send_mark = std::size_t{128} << 10;

  // send() refuses a message that would make the queue longer than this. An empty queue takes any
  // message.
  std::size_t send_limit = std::size_t{256} << 20;

  // How much is stored for the first "message" listener. Past that reading pauses, and the peer
  // waits.
  std::size_t stored_limit = std::size_t{1} << 20;

  // How many received descriptors may wait for the delivery of their message. Further ones are
  // closed, which is an "error". 0: none is accepted; a message that comes with one is refused, and
  // the sender is notified.
  std::size_t descriptor_limit = 16;

  // How long to wait for the peer's confirmation that a handle has arrived; everything sent after
  // the handle waits with it. Then the handle is given up, which is an "error". 0: wait forever, as
  // in Node.
  std::chrono::milliseconds handle_timeout = std::chrono::seconds(10);

  // How long to keep trying to write to a peer that takes no byte, once the channel is to close:
  // after disconnect(), in Process::exit(), or when only unwritten data keeps run() from returning.
  std::chrono::milliseconds flush_timeout = std::chrono::seconds(5);
};

// One end of a channel. A handle: see Emitter. Calls on a closed channel are no-ops.
//
// Node: subprocess.channel, process.channel.
class TINE_EXPORT Channel {
 public:
  Channel() = default;

  // False for an empty handle.
  explicit operator bool() const { return end_ != nullptr; }

  // Sets whether the open channel keeps Loop::run() from returning. Until the first call of either,
  // it does so in the parent, and in the child while there is a "message" or "disconnect" listener.
  void ref() const;
  void unref() const;

  // Stops and restarts the delivery of messages. A paused channel reads no more than it already
  // has, so the peer has to wait; the channel still notices when the peer ends.
  void pause() const;
  void resume() const;

  // Writes as much of the queue as the kernel takes now. Returns whether that was all.
  //
  // Not needed, except before abort() or _exit(), or before a long computation in a program that
  // sends more than some 16 messages in a millisecond: see ChannelEnd::send().
  bool flush() const;

  // False once the channel has ended and everything received has been delivered, or if there was no
  // channel.
  //
  // Node: channel is then undefined or null.
  bool open() const;

  // Bytes that were accepted and not yet given to the kernel.
  std::size_t queued_bytes() const;

  // Bytes of an unfinished last message that was dropped when the channel ended, which is not an
  // error. 0 while the channel is open.
  std::size_t torn_bytes() const;

  // The number of lost messages: those that could not be written before the channel closed, or that
  // were sent after that. A message that was given to the kernel is not counted, even if the peer
  // ended before it read the message.
  //
  // Node: none.
  std::size_t lost_messages() const;

  // Whether the peer has read all that was given to the kernel, or is gone. It may still have to
  // process what it has read.
  bool peer_has_read_all() const;

 private:
  friend class ChannelEnd;
  friend bool task::message_follows(const Channel& channel);
  explicit Channel(std::shared_ptr<channel::Endpoint> end) : end_(std::move(end)) {}

  std::shared_ptr<channel::Endpoint> end_;
};

}  // namespace tine
