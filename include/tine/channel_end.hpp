// The common part of parent and child: sending messages, and closing the channel.
//
// Includes json_fwd.hpp only. A program that uses JSON values includes <nlohmann/json.hpp> or
// <tine/tine.hpp>.
#pragma once

#include <concepts>
#include <memory>
#include <utility>

#include "tine/channel.hpp"
#include "tine/detail/export.hpp"
#include "tine/detail/json.hpp"
#include "tine/handle.hpp"
#include "tine/object.hpp"
#include "tine/send_callback.hpp"
#include "tine/text.hpp"

namespace tine::process {
struct Access;
class Peer;
}  // namespace tine::process

namespace tine {

// How a handle is sent.
struct SendOptions {
  // Whether a Socket stays open here too, so that both processes have it.
  bool keep_open = false;
};

// One end of a message channel; a base of ChildProcess, Process and Worker.
class TINE_EXPORT ChannelEnd {
 public:
  // Queues a message. Never blocks, and never throws because of the message.
  //
  // False means: wait for "drain" before you send the next message. This one was taken, unless it
  // is reported as refused. `sent` gets the result (see SendCallback); without `sent`, a failure is
  // emitted as "error". Failures: Errc::channel_closed, invalid_value and queue_full if the message
  // was refused; EPIPE or ECONNRESET if the peer went away first; ECANCELED if
  // ChannelOptions::flush_timeout ran out. If the child could not be started: the error that says
  // why.
  //
  // A message that is lost because the channel has ended is not a fault of this process:
  // "disconnect" reports the end, Channel::lost_messages() counts the message, and `sent` gets the
  // error. Without `sent`, "error" is emitted only if it has a listener.
  //
  // A message is written at once, even if the listener that sends it then works for long. Only a
  // loop that sends more than some 16 messages in a millisecond writes several together: 16 KiB at
  // a time, at the end of the turn, and before the next listener if the last one took milliseconds.
  // In that case a message may wait until the listener that is running returns, and abort() or
  // _exit() may lose it: see Channel::flush().
  //
  // Node: subprocess.send(), process.send(). A value that cannot be written is refused; Node
  // throws.
  bool send(const nlohmann::json& message, SendCallback sent = {}) const;

  // Sends a message that object() or args() has built: child.send(tine::object("n", 1)). See Object.
  template <detail::Built T>
  bool send(const T& message, SendCallback sent = {}) const {
    return send_built(message, std::move(sent));
  }

  // Sends a message that is already JSON text. It is refused if it is invalid. With
  // Serialization::json, it is also refused if it contains a line feed, which ends a message. A
  // template, so that send({{"n", 1}}) means the overload above.
  template <std::same_as<Text> T>
  bool send(T text, SendCallback sent = {}) const {
    return send_text(text, std::move(sent));
  }

  // Sends a message together with a handle: a Server, a Socket, a Datagram, a SharedBuffer, or
  // Descriptors.
  //
  // A Socket belongs to the peer from then on: unless SendOptions::keep_open is set, it is closed
  // here, with "close", and the connection stays open. The bytes that its write() accepted are
  // written first. If the kernel does not take them all at this moment, or if received bytes wait
  // for a listener, the message is refused with EAGAIN, and the socket stays in use here. Once the
  // callback of the last write() has run, everything has been written.
  //
  // All other handles stay in use here too; both ends of a Server accept connections. Descriptors
  // may be many and of any kind. Only a peer that is tine takes Descriptors or a SharedBuffer; for
  // another peer the message is refused. Errc::invalid_handle_type means that the peer is not tine,
  // or that a handle is closed or empty.
  //
  // Everything sent after the handle waits until the peer confirms its arrival. The handle is sent
  // up to four times. If the peer refuses it each time, or does not answer within
  // ChannelOptions::handle_timeout, that is an "error" (Errc::handle_lost). The callback reports on
  // the message only, as always.
  //
  // Node: the same, but only a Socket is sent again, a missing answer blocks the channel forever,
  // unwritten bytes are cancelled, and a closed handle is sent as no handle.
  bool send(const nlohmann::json& message, Handle handle, SendOptions options = {},
            SendCallback sent = {}) const;
  template <std::convertible_to<SendCallback> F>
  bool send(const nlohmann::json& message, Handle handle, F sent) const {
    return send(message, std::move(handle), SendOptions(), SendCallback(std::move(sent)));
  }
  template <detail::Built T>
  bool send(const T& message, Handle handle, SendOptions options = {},
            SendCallback sent = {}) const {
    return send_built(message, std::move(handle), options, std::move(sent));
  }
  template <detail::Built T, std::convertible_to<SendCallback> F>
  bool send(const T& message, Handle handle, F sent) const {
    return send_built(message, std::move(handle), SendOptions(), SendCallback(std::move(sent)));
  }
  template <std::same_as<Text> T>
  bool send(T text, Handle handle, SendOptions options = {}, SendCallback sent = {}) const {
    return send_text(text, std::move(handle), options, std::move(sent));
  }

  // Closes the channel once everything that was accepted is written; messages are delivered until
  // then. connected() is false at once. A no-op if the channel is not connected.
  //
  // Node: cancels what is queued. There a second call is an error (ERR_IPC_DISCONNECTED).
  void disconnect() const;
  bool connected() const;
  Channel channel() const;

 protected:
  ChannelEnd() = default;
  explicit ChannelEnd(std::shared_ptr<process::Peer> peer) : peer_(std::move(peer)) {}

 private:
  friend struct process::Access;

  bool send_built(const Object& message, SendCallback sent) const;
  bool send_built(const Array& message, SendCallback sent) const;
  bool send_built(const Object& message, Handle handle, SendOptions options,
                  SendCallback sent) const;
  bool send_built(const Array& message, Handle handle, SendOptions options,
                  SendCallback sent) const;
  bool send_text(Text text, SendCallback sent) const;
  bool send_text(Text text, Handle handle, SendOptions options, SendCallback sent) const;

  std::shared_ptr<process::Peer> peer_;
};

}  // namespace tine
