// When a child that was started is ready.
//
// Includes json_fwd.hpp only. A program that uses JSON values includes <nlohmann/json.hpp> or
// <tine/tine.hpp>.
#pragma once

#include <memory>
#include <string>

#include "tine/detail/export.hpp"
#include "tine/detail/json.hpp"
#include "tine/object.hpp"

namespace tine::supervision {
struct Readiness;
}

namespace tine {

// When a child that was started is one to count on. By default: when its program runs.
class TINE_EXPORT Ready {
 public:
  Ready() = default;

  // When its program runs: at "spawn".
  static Ready spawned() { return Ready(); }

  // When it sends a message that equals this one. "ready" is what PM2 and workerpool expect. "message"
  // listeners get this message, too. A child that sends more than ChannelOptions::stored_limit before,
  // while nobody listens for "message", is not read any more, and does not become ready.
  static Ready message(const nlohmann::json& expected);
  template <detail::Built T>
  static Ready message(const T& expected) {
    return built_message(expected);
  }

  // When it answers a request with a result: see Rpc, whose options are the defaults then. The request is
  // sent when the program runs. If the answer is an error, the child is not ready, and will not be.
  static Ready request(std::string method);
  static Ready request(std::string method, const nlohmann::json& params);
  template <detail::Built T>
  static Ready request(std::string method, const T& params) {
    return built_request(std::move(method), params);
  }

  // For the library.
  const supervision::Readiness* how() const { return how_.get(); }

 private:
  explicit Ready(std::shared_ptr<const supervision::Readiness> how);
  static Ready built_message(const Object& expected);
  static Ready built_message(const Array& expected);
  static Ready built_request(std::string method, const Object& params);
  static Ready built_request(std::string method, const Array& params);

  std::shared_ptr<const supervision::Readiness> how_;  // null: spawned
};

}  // namespace tine
