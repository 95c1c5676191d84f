#pragma once

#include <functional>
#include <memory>
#include <utility>

#include <nlohmann/json_fwd.hpp>

#include "base/descriptor.hpp"

namespace tine::channel {
class Endpoint;
}

namespace tine::process {

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
  explicit InternalChannel(std::shared_ptr<channel::Endpoint> end) : end_(std::move(end)) {}

  bool connected() const;
  void disconnect();
  void send(const nlohmann::json& message);
  void send(const nlohmann::json& message, InternalHandle handle);

  // For the construction of a ChannelEnd.
  const std::shared_ptr<channel::Endpoint>& end() const { return end_; }

 private:
  std::shared_ptr<channel::Endpoint> end_;
};

}  // namespace tine::process
