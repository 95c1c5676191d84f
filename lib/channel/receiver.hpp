#pragma once

#include <cstddef>
#include <span>

#include "base/descriptor.hpp"
#include "channel/context.hpp"
#include "channel/inbox.hpp"
#include "channel/router.hpp"
#include "channel/sender.hpp"

namespace tine::channel {

// The receiving half of an Endpoint: what came in, and who gets it. Answers to handles go to the
// sender, internal messages to the router, all others to the router and then to the owner.
class Receiver {
 public:
  Receiver(Context& context, Sender& sender);

  // See Inbox.
  std::span<char> room() { return inbox_.room(); }
  void advance(std::size_t n) { inbox_.advance(n); }
  void take(std::span<base::Descriptor> came) noexcept;

  // Delivers what has come in. Runs listeners; if one throws, call it again for the rest. some:
  // there may be more, but the rest of the loop has to run first. overflow: the rest cannot be
  // read, because a message is too long; returned once.
  enum class Delivered { all, some, overflow };
  Delivered deliver();
  // Returns why there is an overflow.
  Error overflow_error() const;
  // Closes descriptors that no message claims. Runs listeners.
  void close_stray();

  // Passes the answers about handles to the sender, at the exit of the process, and drops everything
  // else. It must be read: a peer that is blocked in a write does not read.
  void read_answers(uv::Stream& stream);

  void set_paused(bool paused) { paused_ = paused; }
  // Returns whether more may be read now.
  bool has_room() const { return wanted() != Wanted::nothing || (!paused_ && !inbox_.full()); }
  // Returns whether a complete frame waits to be delivered, and whether it is wanted.
  bool has_frame() { return inbox_.has_frame(); }
  bool has_wanted_frame() { return wanted() != Wanted::nothing && has_frame(); }
  std::size_t unfinished() const { return inbox_.unfinished(); }

  Router& router() { return router_; }

 private:
  Wanted wanted() const { return paused_ ? Wanted::nothing : context_.owner().wanted(); }
  void look_at_peer(const Inbox::Item& item);
  void deliver_message(const Inbox::Item& item);
  void handle_internal(const Inbox::Item& item);
  void handle_came(const Inbox::Item& item);
  bool offer_to_user_routes(const Inbox::Item& item, nlohmann::json& value,
                            ReceivedDescriptors* beside);
  void trace(const Inbox::Item& item) noexcept;

  Context& context_;
  Sender& sender_;
  Inbox inbox_;
  Router router_;
  bool paused_ = false;
  bool descriptors_dropped_ = false;
};

}  // namespace tine::channel
