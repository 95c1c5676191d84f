// What parent and child have in common: sending, and ending the channel.
//
// Includes json_fwd.hpp only: a program that sends values includes <nlohmann/json.hpp>, or
// <tine/tine.hpp>.
#pragma once

#include <concepts>
#include <memory>
#include <utility>

#include <nlohmann/json_fwd.hpp>

#include "tine/channel.hpp"
#include "tine/message.hpp"

#pragma GCC visibility push(default)

namespace tine {

// One end of a message channel, as ChildProcess and Process have it.
class ChannelEnd {
 public:
  // Queues a message; never blocks and never throws for what the message is.
  //
  // False means hold the next message until "drain", unless this one is reported as refused: then
  // it was not taken. `sent` is told what became of it (see SendCallback); without `sent` an error
  // is emitted as "error".
  //
  // The first message of a turn goes out at once. Those behind it go out together, 16 KiB at a time
  // and at the end of the turn, so what follows a second send() in the same turn, say a long
  // computation or abort(), keeps that one waiting, or loses it: see Channel::flush().
  //
  // Node: subprocess.send(), process.send(). What cannot be written as JSON is refused; Node throws.
  bool send(const nlohmann::json& message, SendCallback sent = {});

  // The same for a message that is JSON text already. It is refused if it is not valid, or has a
  // line feed in it. A template, so that send({{"n", 1}}) means the one above.
  template <std::same_as<Text> T>
  bool send(T text, SendCallback sent = {}) {
    return send_text(text, std::move(sent));
  }

  // Closes the channel once all that was accepted is written; messages are delivered until then.
  // connected() is false from now on. An "error" if it is already (Errc::disconnected).
  //
  // Node: cancels what is queued.
  void disconnect();
  bool connected() const;
  Channel channel() const;

 protected:
  ChannelEnd() = default;
  explicit ChannelEnd(std::shared_ptr<channel::Endpoint> end) : end_(std::move(end)) {}

 private:
  bool send_text(Text text, SendCallback sent);

  std::shared_ptr<channel::Endpoint> end_;
};

}  // namespace tine

#pragma GCC visibility pop
