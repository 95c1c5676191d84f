#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "rpc/deadlines.hpp"
#include "tine/handle.hpp"
#include "tine/reply.hpp"
#include "tine/rpc_error.hpp"

namespace tine::rpc {

class State;

// A request of the peer: the state behind the copies of its Reply.
//
// It stays in the table of the Responder until its answer is queued. An answer for which the queue has no
// room, or for which there is no memory, is owed: the Responder makes it try again. If the last Reply has
// gone by then, the object lives on by itself until the answer is queued, or the channel has ended.
class Incoming final : public std::enable_shared_from_this<Incoming> {
 public:
  struct Request {
    nlohmann::json id;
    std::string method;
    Handle handle = {};
    Clock::time_point deadline = no_deadline;
  };

  static std::shared_ptr<Incoming> make(Request request);
  Incoming(const Incoming&) = delete;
  Incoming& operator=(const Incoming&) = delete;

  // From now on the request is to be answered: it fails if the last Reply goes without an answer.
  void open(std::shared_ptr<State> state) noexcept { state_ = std::move(state); }

  Reply reply() { return Reply(shared_from_this()); }
  const Request& request() const { return request_; }
  bool answered() const { return state_ == nullptr || owed_; }

  // Answer, unless the request has been answered. If memory runs out, it has not.
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

  bool owes_answer() const { return owed_ || dropped_; }
  // Tries to send the answer that is owed. Returns false if the queue is still full. Both may destroy
  // this object.
  bool pay();
  void forgive() noexcept;

 private:
  // For shared_ptr. A type of its own: a function pointer would put a name into the library that an
  // application could have too.
  struct Drop {
    void operator()(Incoming* incoming) const noexcept { incoming->drop(); }
  };

  explicit Incoming(Request request) : request_(std::move(request)) {}
  ~Incoming() = default;
  // Called when the last Reply is gone.
  void drop() noexcept;

  // Returns the error of a handler that has failed with this text.
  RpcError failed(const std::string& text) const;
  void note_answer(std::optional<RpcError> refused);
  void settled() noexcept;

  std::shared_ptr<State> state_;  // null before open(), and once the answer is queued
  Request request_;
  std::optional<RpcError> owed_;          // an answer that waits for "drain"
  std::optional<std::stop_source> stop_;  // made when it is asked for
  bool stop_requested_ = false;
  bool cancelled_ = false;
  bool dropped_ = false;  // there is no Reply any more, but an answer is owed
};

}  // namespace tine::rpc
