#pragma once

#include <nlohmann/json_fwd.hpp>

#include "channel/received_message.hpp"

namespace tine::process {

// What a layer above has at a Peer: it takes messages before "message" listeners do, and learns of
// the end. A Peer has at most one, so that all users of that layer share it.
class Attachment {
 public:
  virtual ~Attachment() = default;

  // Returns whether it keeps the loop of a child running, as a "message" listener does.
  virtual bool keeps_loop() const = 0;
  // Takes a message of the user's, or leaves it as it is: see channel::Router::Route.
  virtual bool take(nlohmann::json& message, channel::ReceivedDescriptors* beside) = 0;
  // Called when the peer's loop has answered, after Endpoint::ping(). Runs no user code.
  virtual void pong() noexcept = 0;
  // Called when "drain" is due. Runs no user code.
  virtual void drained() noexcept = 0;

  // These run no user code: what is the user's runs on a later turn. Called when everything that came
  // is delivered and "disconnect" is due, ...
  virtual void channel_ended() noexcept = 0;
  // ... when the exit status of the child is known and "exit" and "close" are about to be due, ...
  virtual void exited() noexcept = 0;
  // ... and after the last event, or when the user has closed the Peer, which is not to be used any
  // more. May be called twice.
  virtual void retired() noexcept = 0;
};

}  // namespace tine::process
