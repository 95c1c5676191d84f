#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <new>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "channel/received_message.hpp"

namespace tine::channel {

// The layers above that take messages before "message" listeners get them, also while there is no
// listener.
//
// A message is offered to one route after the other, in the order in which they were added, until
// one takes it. A route may add routes, and clear() the router.
class Router {
 public:
  // The messages that a route is offered: internal ones, or the user's.
  enum class Offers { internal, user };
  // Returns whether the route takes the message, and what came beside it, if that is not null. A
  // message that it does not take must stay as it is, and so must its descriptors. May throw what a
  // listener throws; the message is lost then.
  using Route = std::function<bool(nlohmann::json& message, ReceivedDescriptors* beside)>;
  // What a route throws if memory runs out before it has done anything. A message of the user's that
  // nothing came beside is offered again on a later turn.
  struct NotTaken : std::bad_alloc {};

  void add(Offers offers, Route route);
  // Drops all routes.
  void clear() noexcept;

  // Whether there is a route for messages of the user.
  bool takes_user_messages() const { return for_user_ > 0; }

  bool offer(Offers kind, nlohmann::json& message, ReceivedDescriptors* beside);

 private:
  struct Entry {
    Offers offers;
    std::shared_ptr<Route> route;
  };

  std::vector<Entry> entries_;
  std::size_t for_user_ = 0;
};

}  // namespace tine::channel
