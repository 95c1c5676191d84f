#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include <nlohmann/json.hpp>

#include "rpc/error_details.hpp"
#include "tine/object.hpp"

namespace tine::rpc {

// The number of a request of ours. They count from 1.
using Id = std::uint64_t;

// What a message means, as an Envelope reads it. Pointers and views are into the message; they are
// null or empty if it has no such member.
struct Letter {
  enum class Kind { none, request, notification, answer, progress, cancel };

  Kind kind = Kind::none;               // none: a message that is not about requests
  nlohmann::json* id = nullptr;         // of the request that is meant; progress: the token
  std::string_view method = {};         // all but answers
  nlohmann::json* params = nullptr;     // all but answers
  nlohmann::json* value = nullptr;      // answer: the result; progress: the value
  std::optional<Failure> failure = {};  // an answer without a result
  std::optional<std::chrono::milliseconds> timeout = {};  // request: how long the peer waits
};

// A protocol: what requests and answers look like as messages. The rest of lib/rpc knows none.
//
// An object serves both directions of one channel end.
class Envelope {
 public:
  Envelope() = default;
  Envelope(const Envelope&) = delete;
  Envelope& operator=(const Envelope&) = delete;
  virtual ~Envelope() = default;

  // Reads a message, which stays as it is.
  virtual Letter open(nlohmann::json& message) const = 0;

  // Make messages. Null params mean that there are none.
  virtual Object request(Id id, std::string_view method, detail::Value params,
                         std::optional<std::chrono::milliseconds> timeout) const = 0;
  virtual Object notification(std::string_view method, detail::Value params) const = 0;
  // Answers to the peer's request that had this id and this method.
  virtual Object result(const nlohmann::json& id, std::string_view method,
                        detail::Value result) const = 0;
  virtual Object failure(const nlohmann::json& id, std::string_view method,
                         const Failure& failure) const = 0;
  // These are empty if the protocol has no such message.
  virtual Object progress(const nlohmann::json& token, detail::Value value) const = 0;
  virtual Object cancel(Id id) const = 0;
};

}  // namespace tine::rpc
