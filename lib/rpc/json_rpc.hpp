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

  nlohmann::json request(Id id, std::string_view method, nlohmann::json params,
                         std::optional<std::chrono::milliseconds> timeout) const override;
  nlohmann::json notification(std::string_view method, nlohmann::json params) const override;
  nlohmann::json result(const nlohmann::json& id, std::string_view method,
                        nlohmann::json result) const override;
  nlohmann::json failure(const nlohmann::json& id, std::string_view method,
                         const Failure& failure) const override;
  nlohmann::json progress(const nlohmann::json& token, nlohmann::json value) const override;
  nlohmann::json cancel(Id id) const override;

 private:
  bool strict_;
};

}  // namespace tine::rpc
