#pragma once

#include <memory>

#include "channel/inbox.hpp"
#include "channel/received_message.hpp"
#include "tine/error.hpp"

namespace tine::channel {

// The owner of an Endpoint. It is kept alive while its functions run. Those marked "runs listeners"
// may throw what the listeners throw.
class Owner : public std::enable_shared_from_this<Owner> {
 public:
  virtual ~Owner() = default;
  virtual Wanted wanted() const = 0;
  // Returns whether the open channel keeps the loop running, unless the user has decided otherwise.
  virtual bool keeps_loop() const = 0;
  virtual void on_message(const ReceivedMessage& message) = 0;  // runs listeners
  virtual void on_error(Error error) = 0;                       // runs listeners
  // Reports messages that are lost because the channel is over. That is not a fault of this
  // process, so nothing is thrown if nobody listens.
  virtual void on_loss(Error error) = 0;  // runs listeners
  virtual void on_drain() = 0;            // runs listeners
  virtual void on_disconnect() = 0;       // runs listeners
  // Called when the peer's loop has answered, after Endpoint::ping().
  virtual void on_pong() {}
  // Called when everything is delivered and on_disconnect() is due: tasks deferred from now on run
  // after it.
  virtual void on_ended() {}
};

}  // namespace tine::channel
