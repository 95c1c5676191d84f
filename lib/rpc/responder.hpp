#pragma once

#include <cstddef>
#include <deque>
#include <memory>
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

  // Write to the peer, if the channel is open. For Incoming, which has left the table before.
  void answer(const Incoming::Request& request, detail::Value result, const Handle& handle,
              bool keep_open);
  void answer(const Incoming::Request& request, const RpcError& error);
  bool progress(const Incoming::Request& request, detail::Value value);
  // Takes a request out of the table.
  void forget(Incoming& incoming) noexcept;

  // Requests a stop of all requests on a later turn, because the channel has ended.
  void channel_closed();
  // Does what is due. Runs user code.
  template <class Sequence, class Event>
  void request_stops(Sequence& sequence, Event event) {
    sequence.emit_each(event, stopping_, [](const std::weak_ptr<Incoming>& weak) {
      if (const auto incoming = weak.lock()) incoming->request_stop(false);
    });
  }

  void close() noexcept { alarm_.close(); }

 private:
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
};

}  // namespace tine::rpc
