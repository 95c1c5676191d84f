#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <unordered_map>

#include <nlohmann/json.hpp>

#include "channel/received_message.hpp"
#include "rpc/alarm.hpp"
#include "rpc/deadlines.hpp"
#include "rpc/envelope.hpp"
#include "rpc/handlers.hpp"
#include "rpc/incoming.hpp"
#include "tine/handle.hpp"
#include "tine/rpc_error.hpp"

namespace tine::rpc {

class State;

// The requests and notifications that the peer sends.
class Responder {
 public:
  explicit Responder(State& state) : state_(state) {}

  Handlers& handlers() { return handlers_; }
  const Handlers& handlers() const { return handlers_; }

  // Take a letter of this kind. Run user code.
  void take_request(const Letter& letter, channel::ReceivedDescriptors* beside);
  // Returns false if the notification has no handler.
  bool take_notification(const Letter& letter);
  void take_cancel(const Letter& letter);

  // Write to the peer, if the channel is open. Return the failure that is still to be sent, because the
  // queue is full. For Incoming, which leaves the table afterwards.
  std::optional<RpcError> answer(const Incoming::Request& request, detail::Value result,
                                 const Handle& handle, bool keep_open);
  std::optional<RpcError> answer(const Incoming::Request& request, const RpcError& error);
  bool progress(const Incoming::Request& request, detail::Value value);
  // Takes a request out of the table.
  void forget(Incoming& incoming) noexcept;

  // An Incoming owes an answer, which it tries to send on "drain", or on the next turn.
  void owe_until_drain() noexcept { any_owed_ = true; }
  void owe_later() noexcept;
  // There is room for them.
  void drained() noexcept;
  // Sends the answers that are owed. Runs no user code.
  void pay_all();

  // Requests a stop of all requests on a later turn, because the channel has ended.
  void channel_closed() noexcept;
  // Does what is due. Runs user code.
  template <class Sequence, class Event>
  void request_stops(Sequence& sequence, Event event) {
    sequence.attempt(event, [this] { add_all_stops(); });
    sequence.emit_each(event, stopping_, [](const std::weak_ptr<Incoming>& weak) {
      if (const auto incoming = weak.lock()) incoming->request_stop(false);
    });
  }

  void close() noexcept;

 private:
  std::shared_ptr<Incoming> admit(const Letter& letter, channel::ReceivedDescriptors* beside);
  void add(Incoming& incoming);
  void forgive_all() noexcept;
  void add_all_stops();
  void refuse(const Letter& letter, int code, const char* text);
  void handle_request(const std::shared_ptr<Incoming>& incoming, nlohmann::json& params);
  void look_at_deadlines();
  void stop_later(Incoming& incoming);

  State& state_;
  Handlers handlers_;
  std::unordered_map<nlohmann::json, Incoming*> incoming_;  // by id
  Deadlines<Incoming*> deadlines_;
  Alarm alarm_{[this] { look_at_deadlines(); }};
  std::deque<std::weak_ptr<Incoming>> stopping_;
  bool stop_all_ = false;
  bool any_owed_ = false;
};

}  // namespace tine::rpc
