#pragma once

#include <memory>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "tine/child_process.hpp"
#include "tine/error.hpp"
#include "tine/rpc_error.hpp"

namespace tine::rpc {

// The failure of a request as it travels.
struct Failure {
  int code = 0;  // 0: there is none
  std::string message = {};
  nlohmann::json data = {};
};

// The codes that JSON-RPC and the Language Server Protocol define, beside invalid_params.
inline constexpr int invalid_request = -32600;
inline constexpr int method_not_found = -32601;
inline constexpr int internal_error = -32603;
inline constexpr int request_cancelled = -32800;
// The first of the codes that a server may choose.
inline constexpr int too_many_requests = -32000;

// What an RpcError has beside its code. All copies share it.
struct ErrorDetails {
  Failure failure = {};  // an empty message means that of Error
  std::optional<ExitStatus> exit_status = {};

  // Make the errors that the callbacks of requests get.
  static RpcError from_peer(Failure failure);
  static RpcError from_refusal(const Error& refusal);
  static RpcError channel_closed(std::optional<ExitStatus> exit_status);
};

// Returns what a peer gets of an error of a handler.
Failure failure_of(const RpcError& error);

}  // namespace tine::rpc
