#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include <nlohmann/json.hpp>

#include "rpc/envelope.hpp"

namespace tine::rpc {

// JSON-RPC 2.0, with the cancellation and progress of the Language Server Protocol, and "timeout",
// the milliseconds that the caller still waits.
class JsonRpc final : public Envelope {
 public:
  // strict: a message without "jsonrpc":"2.0" is not about requests.
  explicit JsonRpc(bool strict = false) : strict_(strict) {}

  Letter open(nlohmann::json& message) const override;

  Object request(Id id, std::string_view method, detail::Value params,
                 std::optional<std::chrono::milliseconds> timeout) const override;
  Object notification(std::string_view method, detail::Value params) const override;
  Object result(const nlohmann::json& id, std::string_view method,
                detail::Value result) const override;
  Object failure(const nlohmann::json& id, std::string_view method,
                 const Failure& failure) const override;
  Object progress(const nlohmann::json& token, detail::Value value) const override;
  Object cancel(Id id) const override;

 private:
  bool strict_;
};

}  // namespace tine::rpc
