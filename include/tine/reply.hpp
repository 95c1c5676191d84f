// The answer to a request of the peer.
//
// Includes json_fwd.hpp only. A program that uses JSON values includes <nlohmann/json.hpp> or
// <tine/tine.hpp>.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include "tine/channel_end.hpp"
#include "tine/detail/export.hpp"
#include "tine/detail/json.hpp"
#include "tine/handle.hpp"
#include "tine/object.hpp"
#include "tine/rpc_error.hpp"

namespace tine::rpc {
class Incoming;
}

namespace tine {

class Reply;
template <class T>
class Task;

namespace detail {
// Starts the task that answers a request. It inherits the stop and the deadline of the request.
TINE_EXPORT void start_answer(const Reply& reply, Task<void> task);
// Answers with the exception that is being handled.
TINE_EXPORT void fail_with_exception(const Reply& reply);
}  // namespace detail

// A request of the peer that is to be answered, now or later: send() or fail().
//
// A handle: see Emitter. Only the first answer counts. When the last copy is destroyed without an
// answer, the request fails (-32603, or -32800 if the peer has cancelled it), so that the peer does not
// wait forever. Once the channel has ended, nothing is written.
//
// Node: none; there the handler returns a promise.
class TINE_EXPORT Reply {
 public:
  Reply() = default;

  // False for an empty handle.
  explicit operator bool() const { return incoming_ != nullptr; }

  // Answers with a result, which is null if there is none. A result that cannot be sent is a failure
  // (-32603).
  void send() const;
  void send(const nlohmann::json& result) const;
  void send(nlohmann::json&& result) const;
  void send(const nlohmann::json& result, Handle handle, SendOptions options = {}) const;
  template <detail::Built T>
  void send(T result, Handle handle = {}, SendOptions options = {}) const {
    send_value(std::move(result), std::move(handle), options);
  }

  // Answers with a failure.
  void fail(const RpcError& error) const;

  // Reports a value while the work goes on ($/progress). False means: wait for "drain" before the next
  // one, or the request has been answered, or the channel has ended. A value that is refused, because it
  // cannot be sent or the queue is full, is an "error" of the channel end.
  bool progress(const nlohmann::json& value) const;
  template <detail::Built T>
  bool progress(T value) const {
    return report(std::move(value));
  }

  // A stop is requested when the peer cancels the request, when its deadline is over, and when the
  // channel ends. The request is still to be answered, with -32800 or with a result.
  std::stop_token stop_token() const;

  // What is left of the time that the peer waits; nullopt if it waits without a limit.
  std::optional<std::chrono::milliseconds> remaining() const;

  const std::string& method() const;
  // What came beside the request; empty if nothing did.
  Handle handle() const;

 private:
  friend class rpc::Incoming;
  friend void detail::start_answer(const Reply& reply, Task<void> task);
  friend void detail::fail_with_exception(const Reply& reply);
  explicit Reply(std::shared_ptr<rpc::Incoming> incoming);
  void send_value(detail::Value result, Handle handle, SendOptions options) const;
  bool report(detail::Value value) const;

  std::shared_ptr<rpc::Incoming> incoming_;
};

}  // namespace tine
