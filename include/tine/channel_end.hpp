// What parent and child have in common: sending, and ending the channel.
//
// Includes json_fwd.hpp only: a program that sends values includes <nlohmann/json.hpp>, or
// <tine/tine.hpp>.
#pragma once

#include <concepts>
#include <memory>
#include <system_error>
#include <utility>

#include "tine/channel.hpp"
#include "tine/detail/json.hpp"
#include "tine/handle.hpp"
#include "tine/message.hpp"

#pragma GCC visibility push(default)

namespace tine {

// How a handle is sent.
struct SendOptions {
  // A Socket stays open here too, so that both processes have it.
  bool keep_open = false;
};

// One end of a message channel, as ChildProcess and Process have it.
class ChannelEnd {
 public:
  // Queues a message; never blocks and never throws for what the message is.
  //
  // False means hold the next message until "drain", unless this one is reported as refused: then
  // it was not taken. `sent` is told what became of it (see SendCallback); without `sent` an error
  // is emitted as "error".
  //
  // A message that is lost because the channel is over is no fault of this process: "disconnect" tells
  // of the end, Channel::lost_messages() counts, and `sent` gets the error. Without `sent` an "error" is
  // emitted only if somebody listens for it.
  //
  // A message goes out at once, also from a listener that then works for long. Only a loop that sends more
  // than some 16 messages in a millisecond writes several together: 16 KiB at a time, at the end of the
  // turn, and before the next listener if the last one took milliseconds. There a message may wait for as
  // long as the listener that runs when it is sent, and abort() or _exit() may lose it: see
  // Channel::flush().
  //
  // Node: subprocess.send(), process.send(). What cannot be written as JSON is refused; Node throws.
  bool send(const nlohmann::json& message, SendCallback sent = {});

  // The same for a message that is JSON text already. It is refused if it is not valid, or has a
  // line feed in it. A template, so that send({{"n", 1}}) means the one above.
  template <std::same_as<Text> T>
  bool send(T text, SendCallback sent = {}) {
    return send_text(text, std::move(sent));
  }

  // Sends a message with a handle beside it: a Server, a Socket, a Datagram, or Descriptors.
  //
  // A Socket is the peer's from then on: here it is closed, with "close", without an end on the wire;
  // unless SendOptions::keep_open says otherwise. What its write() took is written first. EAGAIN tells that
  // the kernel does not take it all at this moment, or that bytes that came in wait for a listener: the
  // message is refused, and the socket goes on here. Once the callback of the last write() has run, all
  // is written. All else goes on here too; of a Server both ends
  // accept connections. Descriptors may be many and of any kind, but only a peer that is tine takes them:
  // Errc::invalid_handle_type tells that it is not, or that a handle is closed or empty.
  //
  // What is sent after it waits until the peer has said that the handle has arrived. It is sent up to
  // four times; a handle that the peer refuses each time, or does not answer for within
  // ChannelOptions::handle_timeout, is an "error" (Errc::handle_lost). The callback tells of the message
  // only, as ever.
  //
  // Node: the same. There only a Socket is sent again, a missing answer holds the channel for ever, bytes
  // that are not written are cancelled, and a handle that is closed is sent as none.
  bool send(const nlohmann::json& message, Handle handle, SendOptions options = {},
            SendCallback sent = {});
  template <std::invocable<std::error_code> Callback>
  bool send(const nlohmann::json& message, Handle handle, Callback sent) {
    return send(message, std::move(handle), SendOptions(), SendCallback(std::move(sent)));
  }
  template <std::same_as<Text> T>
  bool send(T text, Handle handle, SendOptions options = {}, SendCallback sent = {}) {
    return send_text(text, std::move(handle), options, std::move(sent));
  }

  // Closes the channel once all that was accepted is written; messages are delivered until then.
  // connected() is false from now on. Does nothing if it is already.
  //
  // Node: cancels what is queued. There a second call is an error (ERR_IPC_DISCONNECTED).
  void disconnect();
  bool connected() const;
  Channel channel() const;

 protected:
  ChannelEnd() = default;
  explicit ChannelEnd(std::shared_ptr<channel::Endpoint> end) : end_(std::move(end)) {}

 private:
  bool send_text(Text text, SendCallback sent);
  bool send_text(Text text, Handle handle, SendOptions options, SendCallback sent);

  std::shared_ptr<channel::Endpoint> end_;
};

}  // namespace tine

#pragma GCC visibility pop
