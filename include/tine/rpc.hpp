// Requests and their answers over a channel, in both directions: JSON-RPC 2.0.
//
// Includes json_fwd.hpp only. A program that uses JSON values includes <nlohmann/json.hpp> or
// <tine/tine.hpp>.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "tine/callback.hpp"
#include "tine/channel_end.hpp"
#include "tine/detail/export.hpp"
#include "tine/detail/json.hpp"
#include "tine/detail/rpc_handler.hpp"
#include "tine/object.hpp"
#include "tine/reply.hpp"
#include "tine/request.hpp"
#include "tine/rpc_error.hpp"
#include "tine/send_callback.hpp"

namespace tine::rpc {

class State;

using Handler = Callback<void(nlohmann::json& params, const Reply& reply)>;
using Fallback =
    Callback<void(const std::string& method, const nlohmann::json& params, Reply reply)>;
// Returns why the params do not convert; empty if they do.
using NotificationListener = Callback<std::string(nlohmann::json& params)>;

}  // namespace tine::rpc

namespace tine {

struct RpcOptions {
  // How many requests may wait for an answer. Further ones fail with Errc::queue_full.
  std::size_t pending_limit = 100'000;

  // How many requests of the peer may wait for one. Further ones are answered with -32000.
  std::size_t incoming_limit = 100'000;

  // How long requests wait for the exit status of the child once its channel has ended. Then they fail
  // without it.
  std::chrono::milliseconds exit_patience{100};

  // Whether a message without "jsonrpc":"2.0" is an ordinary message, whatever else it has.
  bool strict = false;
};

// The requests of one end of a channel: those that are made here, and those that the peer makes.
//
//   tine::Rpc rpc(child);
//   rpc.on_request("now", [] { return std::time(nullptr); });
//   rpc.request("add", {{"a", 1}, {"b", 2}}).then([](tine::Result<int> sum) { ... });
//
// A message with a string "method" is a request, or, if it has no "id", a notification. A message
// with an "id" that a request had, and a "result" or an "error", is an answer. Those are taken out
// before "message", also while nobody listens for it. All other messages are delivered as ever, and
// so are notifications without a handler. Make the Rpc before the loop runs: what came earlier stays
// a message. With an Rpc, each message is parsed, even if its listeners take a tine::Text.
//
// A handler runs from the loop, as a listener does. Nothing blocks: a handler may ask the peer that
// waits for it. Each request of the peer is answered once, with what its handler returns or passes to
// the Reply, or with a failure:
//
//   -32603           the handler throws (what() is the message), or drops its Reply
//   code of RpcError the handler throws an RpcError
//   -32602           the params do not convert to what the handler takes
//   -32601           the method has no handler
//   -32600           the id is that of a request that still waits for its answer
//   -32000           RpcOptions::incoming_limit requests wait
//   -32800           instead of -32603, if the peer has cancelled the request
//
// An answer that is refused because ChannelOptions::send_limit is reached becomes a failure. If that is
// refused too, it is kept, and sent on "drain"; until then the request counts for incoming_limit. Only
// failures with -32600 and -32000 are not kept: the peer gets none, and there is an "error" here.
//
// When the channel ends, everything that came before is delivered first. Then the requests that wait
// fail in the order in which they were sent, with Errc::channel_closed: when the exit status of the
// child is known, but no later than RpcOptions::exit_patience after the end, and before "close". ~Loop
// destroys callbacks and handlers without calling them.
//
// A handle: see Emitter. All that are made of the same channel end are the same, and the options of
// the first one hold. Requests that wait for their answer keep Loop::run() from returning. Handlers keep
// the loop of a child as a "message" listener does.
//
// Node: none; the npm package vscode-jsonrpc speaks the same. There a request to a peer that dies is
// never settled.
class TINE_EXPORT Rpc {
 public:
  // Makes an empty handle.
  Rpc() = default;

  // End is ChildProcess, Process or Worker.
  template <class End>
  requires std::is_base_of_v<ChannelEnd, End>
  explicit Rpc(const End& end, const RpcOptions& options = {})
      : state_(state_of(static_cast<const ChannelEnd&>(end), options)) {}

  // False for an empty handle.
  explicit operator bool() const { return state_ != nullptr; }

  // Makes a request. Request::then() sends it.
  template <class T = nlohmann::json>
  Request<T> request(std::string_view method) const {
    return Request<T>(make(method));
  }
  template <class T = nlohmann::json>
  Request<T> request(std::string_view method, const nlohmann::json& params) const {
    return Request<T>(make(method, params));
  }
  template <class T = nlohmann::json>
  Request<T> request(std::string_view method, nlohmann::json&& params) const {
    return Request<T>(make(method, std::move(params)));
  }

  template <class T = nlohmann::json, detail::Built Params>
  Request<T> request(std::string_view method, Params params) const {
    return Request<T>(make(method, detail::Value(std::move(params))));
  }

  // Sends a message that is not answered. See ChannelEnd::send().
  bool notify(std::string_view method) const;
  bool notify(std::string_view method, const nlohmann::json& params, SendCallback sent = {}) const;
  template <detail::Built Params>
  bool notify(std::string_view method, Params params, SendCallback sent = {}) const {
    return send_notification(method, detail::Value(std::move(params)), std::move(sent));
  }

  // Sets the handler of a method, in place of the one that it has.
  //
  // If it takes one value, this is made of the params with get<>(), or of the only item of an array
  // that does not convert itself. If it takes several, these are made of the items of an array. A
  // generic lambda gets the params. A last parameter may be a tine::Reply. What it returns is the
  // result; if it returns nothing, the result is null, or is left to the Reply.
  //
  // A handler may be a coroutine: it returns a tine::Task, and what this returns is the result. The
  // task, its values and the handler live on until it has ended, also after off(). It is stopped when the
  // peer cancels the request, when the deadline of the request is over, and when the channel ends.
  template <class F>
  void on_request(std::string method, F handler) const {
    if constexpr (!detail::fits_request<F>()) {
      static_assert(detail::fits_request<F>(),
                    "tine: this handler of requests takes what the params do not convert to");
    } else {
      set_handler(std::move(method),
                  detail::RequestHandler<F>{std::make_shared<F>(std::move(handler))});
    }
  }

  // Sets the handler of all other methods: (const std::string& method, const nlohmann::json& params,
  // Reply reply). An empty function removes it.
  void on_request(rpc::Fallback handler) const;

  // Does the same as on_request() for notifications, which have no Reply. What the handler throws comes
  // out of Loop::run(). If the params do not convert, that is an "error" (Errc::message_type). A
  // notification that a handle came with is an ordinary message.
  template <class F>
  void on_notification(std::string method, F handler) const {
    if constexpr (!detail::fits_notification<F>()) {
      static_assert(detail::fits_notification<F>(),
                    "tine: this handler of notifications takes what the params do not convert to");
    } else {
      set_listener(std::move(method), detail::NotificationHandler<F>{std::move(handler)});
    }
  }

  // Removes the handlers of a method. Returns false if it has none.
  bool off(std::string_view method) const;

  // Asks whether the peer's loop turns. The loops of Node, Bun and tine answer, without a line of code
  // there, in 0.03 to 3 ms; the result is how long it took. A loop that is busy or stopped does not
  // answer: use within(). If a handle is on its way, the confirmation of its arrival is the answer, and
  // a handle that is sent while a ping is unanswered waits for that answer. Answers bear no number: a
  // second ping may get the answer to the first one, even if that has failed.
  //
  // Node: none. Deno never answers; handles that are sent to it after a ping are lost.
  Request<std::chrono::microseconds> ping() const;

  // The number of requests that wait for an answer.
  std::size_t pending() const;
  // The number of answers that came after their request had failed, and were dropped.
  std::size_t late_answers() const;

 private:
  static std::shared_ptr<rpc::State> state_of(const ChannelEnd& end, const RpcOptions& options);
  detail::UnsentRequest make(std::string_view method) const;
  detail::UnsentRequest make(std::string_view method, const nlohmann::json& params) const;
  detail::UnsentRequest make(std::string_view method, nlohmann::json&& params) const;
  detail::UnsentRequest make(std::string_view method, detail::Value params) const;
  bool send_notification(std::string_view method, detail::Value params, SendCallback sent) const;
  void set_handler(std::string method, rpc::Handler handler) const;
  void set_listener(std::string method, rpc::NotificationListener listener) const;

  std::shared_ptr<rpc::State> state_;
};

}  // namespace tine
