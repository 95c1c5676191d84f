// Why a request has no result, and what a handler fails with.
//
// Includes json_fwd.hpp only. A program that uses JSON values includes <nlohmann/json.hpp> or
// <tine/tine.hpp>.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <system_error>

#include "tine/child_process.hpp"
#include "tine/detail/export.hpp"
#include "tine/detail/json.hpp"
#include "tine/error.hpp"

namespace tine::rpc {

struct ErrorDetails;

// The code of JSON-RPC for params that a handler does not take.
inline constexpr int invalid_params = -32602;

}  // namespace tine::rpc

namespace tine {

// The error of a request: what its callback gets, and what a handler throws or passes to
// Reply::fail().
//
// code() of a request that has failed:
//
//   Errc::remote_error       the peer's handler has failed: remote_code(), what() and data() are the
//                            peer's
//   Errc::method_not_found, invalid_params, invalid_request, internal_error, aborted
//                            the same, and remote_code() is one that has a meaning: -32601, -32602,
//                            -32600, -32603, -32800
//   Errc::timed_out          Request::within() is over
//   Errc::aborted            cancel() was called, or a stop was requested; remote_code() is 0
//   Errc::channel_closed     the channel has ended first: exit_status() says how the child ended, if it
//                            did
//   Errc::message_type       the result does not convert to the type that the callback takes
//   Errc::queue_full         the request was refused: too many are pending, or too much is queued
//   Errc::invalid_value, invalid_handle_type, ...
//                            the request was refused for what ChannelEnd::send() refuses a message
//
// Node: vscode-jsonrpc's ResponseError.
class TINE_EXPORT RpcError : public Error {
 public:
  // A handler that throws one of the codes above, such as Errc::invalid_params, fails with the number
  // that the code has on the wire, and with -32603 for all other codes.
  using Error::Error;

  // A failure with a number, a text and a value of the handler's own, which the peer gets as
  // remote_code(), what() and data(). JSON-RPC reserves -32768 to -32000.
  RpcError(int remote_code, std::string message);
  RpcError(int remote_code, std::string message, const nlohmann::json& data);

  // The number that the peer has sent; 0 if the error is not the peer's, or has no number.
  int remote_code() const;
  // What the peer has sent with it; null if there is nothing. An error that is not JSON-RPC's, because
  // it has no number, is here as a whole.
  const nlohmann::json& data() const;
  // How the child has ended, if that was known when the request failed.
  std::optional<ExitStatus> exit_status() const;

  // The peer's text, or one that says what has happened.
  const char* what() const noexcept override;

  // Throws this error, also for a program that is compiled without exceptions.
  [[noreturn]] void raise() const;

 private:
  friend struct rpc::ErrorDetails;
  RpcError(std::error_code code, const std::string& text,
           std::shared_ptr<const rpc::ErrorDetails> details);

  std::shared_ptr<const rpc::ErrorDetails> details_;
};

}  // namespace tine
