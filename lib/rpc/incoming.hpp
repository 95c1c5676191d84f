#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include <nlohmann/json.hpp>

#include "rpc/deadlines.hpp"
#include "tine/handle.hpp"
#include "tine/reply.hpp"
#include "tine/rpc_error.hpp"

namespace tine::rpc {

class State;

// A request of the peer: the state behind the copies of its Reply.
class Incoming final : public std::enable_shared_from_this<Incoming> {
 public:
  struct Request {
    nlohmann::json id;
    std::string method;
    Handle handle = {};
    Clock::time_point deadline = no_deadline;
  };

  Incoming(std::shared_ptr<State> state, Request request)
      : state_(std::move(state)), request_(std::move(request)) {}
  Incoming(const Incoming&) = delete;
  Incoming& operator=(const Incoming&) = delete;
  // Fails the request if it is not answered.
  ~Incoming();

  Reply reply() { return Reply(shared_from_this()); }
  const Request& request() const { return request_; }
  bool answered() const { return state_ == nullptr; }

  // Answer, unless the request has been answered.
  void send(detail::Value result, const Handle& handle, bool keep_open);
  void fail(const RpcError& error);
  bool progress(detail::Value value);
  // Answers with the exception that is being handled, which has left the handler. If there has been an
  // answer, it is an exception as that of any listener, and is thrown on.
  void fail_with_exception();

  // Runs the stop callbacks of the user. cancelled: the peer gets -32800 if the handler fails now.
  void request_stop(bool cancelled);
  std::stop_token stop_token();
  std::optional<std::chrono::milliseconds> remaining() const;

  const std::shared_ptr<State>& state() const { return state_; }

 private:
  // Returns the error of a handler that has failed with this text.
  RpcError failed(const std::string& text) const;
  std::shared_ptr<State> take_state();

  std::shared_ptr<State> state_;  // null once it is answered
  Request request_;
  std::optional<std::stop_source> stop_;  // made when it is asked for
  bool stop_requested_ = false;
  bool cancelled_ = false;
};

}  // namespace tine::rpc
