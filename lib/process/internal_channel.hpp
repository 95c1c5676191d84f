#pragma once

#include <functional>
#include <memory>
#include <utility>

#include <nlohmann/json_fwd.hpp>

#include "base/descriptor.hpp"
#include "tine/callback.hpp"
#include "tine/handle.hpp"

namespace tine::process {

class Peer;

// Takes internal messages of a channel, with the handles beside them. Returns whether it takes the
// message.
using InternalRoute = std::function<bool(nlohmann::json& message, const Handle& handle)>;

// A descriptor that travels beside an internal message.
struct InternalHandle {
  const char* type;  // "net.Native" and the like, as in Node
  base::Descriptor descriptor;
  // Called on a later turn if the descriptor was not delivered and never will be.
  std::function<void()> undelivered = {};
};

// The channel to a child or to the parent, for layers above that send internal messages.
class InternalChannel {
 public:
  explicit InternalChannel(std::shared_ptr<Peer> peer) : peer_(std::move(peer)) {}

  // Checks the thread in functions for the user that do not reach the channel.
  void check_thread() const noexcept;
  // Runs a function on a later turn, in order with the events of the channel. Drops it if the loop
  // is gone.
  void defer(Callback<void()> function);

  bool connected() const;
  void disconnect();
  void send(const nlohmann::json& message);
  void send(const nlohmann::json& message, InternalHandle handle);

  // For the construction of a ChannelEnd.
  const std::shared_ptr<Peer>& peer() const { return peer_; }

 private:
  std::shared_ptr<Peer> peer_;
};

}  // namespace tine::process
