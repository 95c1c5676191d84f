#include "rpc/json_rpc.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

namespace tine::rpc {

using detail::Value;
using nlohmann::json;
using Kind = Letter::Kind;

namespace {

constexpr const char* version = "2.0";
constexpr const char* cancel_method = "$/cancelRequest";
constexpr const char* progress_method = "$/progress";

// With advanced serialization, a member that JavaScript leaves undefined is there as this object.
bool is_undefined(const json& value) {
  const auto* const object = value.get_ptr<const json::object_t*>();
  if (object == nullptr || object->size() != 1) return false;
  const auto& [name, mark] = *object->begin();
  return name == "$undefined" && mark == true;
}

// Returns a member of an object, or null.
json* find_any(json::object_t& object, const char* name) {
  const auto member = object.find(name);
  return member == object.end() ? nullptr : &member->second;
}

// The same for a member that is not undefined.
json* find(json::object_t& object, const char* name) {
  json* const member = find_any(object, name);
  return member == nullptr || is_undefined(*member) ? nullptr : member;
}

json* find(json* value, const char* name) {
  auto* const object = value == nullptr ? nullptr : value->get_ptr<json::object_t*>();
  return object == nullptr ? nullptr : find(*object, name);
}

const std::string* text(const json* value) {
  return value == nullptr ? nullptr : value->get_ptr<const std::string*>();
}

// With advanced serialization, a number may be NaN, which is not equal to itself.
bool is_finite(const json* value) {
  return value != nullptr && value->is_number() && std::isfinite(value->get<double>());
}

bool is_id(const json* value) {
  return value != nullptr && (value->is_string() || is_finite(value));
}

// Returns how long the peer waits. It may have sent anything.
std::optional<std::chrono::milliseconds> time_in(const json* value) {
  constexpr double longest = 1e15;
  if (!is_finite(value)) return std::nullopt;
  const double milliseconds = std::clamp(value->get<double>(), 0.0, longest);
  return std::chrono::milliseconds(static_cast<std::int64_t>(milliseconds));
}

// Returns the code of an error; 0 if it has none that is one.
int code_in(const json* value) {
  using Limits = std::numeric_limits<int>;
  if (value == nullptr || !value->is_number_integer()) return 0;
  const double number = value->get<double>();
  return number >= Limits::min() && number <= Limits::max() ? static_cast<int>(number) : 0;
}

// An error without a code is one of another protocol, such as workerpool's.
Failure read_failure(json& error) {
  Failure failure{.code = code_in(find(&error, "code"))};
  const std::string* const whole = text(&error);
  const std::string* const message = whole != nullptr ? whole : text(find(&error, "message"));
  if (message != nullptr) failure.message = *message;
  const json* const data = find(&error, "data");
  if (failure.code == 0 && whole == nullptr) {
    failure.data = error;
  } else if (data != nullptr) {
    failure.data = *data;
  }
  return failure;
}

Letter open_call(json::object_t& message, const std::string& method, json* id) {
  Letter letter{.method = method, .params = find(message, "params")};
  if (id != nullptr) {
    if (!is_id(id)) return {};
    letter.kind = Kind::request;
    letter.id = id;
    letter.timeout = time_in(find(message, "timeout"));
    return letter;
  }
  letter.kind = Kind::notification;
  if (method == cancel_method) {
    letter.id = find(letter.params, "id");
    if (is_id(letter.id)) letter.kind = Kind::cancel;
  } else if (method == progress_method) {
    letter.id = find(letter.params, "token");
    letter.value = find(letter.params, "value");
    if (is_id(letter.id) && letter.value != nullptr) letter.kind = Kind::progress;
  }
  return letter;
}

Letter open_answer(json::object_t& message, json* id) {
  json* const error = find(message, "error");
  Letter letter{.kind = Kind::answer, .id = id, .value = find_any(message, "result")};
  if (error != nullptr && !error->is_null()) {
    letter.failure = read_failure(*error);
    letter.value = nullptr;
  } else if (letter.value == nullptr) {
    // workerpool writes "error":null beside each result, and JSON has no undefined result.
    letter.value = error;
  }
  return letter.value != nullptr || letter.failure ? letter : Letter();
}

// The most members that a message has.
constexpr std::size_t most_members = 5;

Object message() {
  Object message;
  message.reserve(most_members);
  message.set("jsonrpc", version);
  return message;
}

}  // namespace

Letter JsonRpc::open(json& message) const {
  auto* const object = message.get_ptr<json::object_t*>();
  if (object == nullptr) return {};
  json* const method = find(*object, "method");
  json* const id = find(*object, "id");
  if (method == nullptr && !is_id(id)) return {};
  if (strict_) {
    const std::string* const theirs = text(find(*object, "jsonrpc"));
    if (theirs == nullptr || *theirs != version) return {};
  }
  if (method == nullptr) return open_answer(*object, id);
  const std::string* const name = text(method);
  return name == nullptr ? Letter() : open_call(*object, *name, id);
}

Object JsonRpc::request(Id id, std::string_view method, Value params,
                        std::optional<std::chrono::milliseconds> timeout) const {
  Object request = message();
  request.set("id", id).set("method", method);
  if (!params.is_null()) request.set("params", std::move(params));
  if (timeout) request.set("timeout", timeout->count());
  return request;
}

Object JsonRpc::notification(std::string_view method, Value params) const {
  Object notification = message();
  notification.set("method", method);
  if (!params.is_null()) notification.set("params", std::move(params));
  return notification;
}

Object JsonRpc::result(const json& id, std::string_view, Value result) const {
  Object answer = message();
  answer.set("id", id).set("result", std::move(result));
  return answer;
}

Object JsonRpc::failure(const json& id, std::string_view, const Failure& failure) const {
  Object error = object("code", failure.code, "message", failure.message);
  if (!failure.data.is_null()) error.set("data", failure.data);
  Object answer = message();
  answer.set("id", id).set("error", std::move(error));
  return answer;
}

Object JsonRpc::progress(const json& token, Value value) const {
  return notification(progress_method, object("token", token, "value", std::move(value)));
}

Object JsonRpc::cancel(Id id) const { return notification(cancel_method, object("id", id)); }

}  // namespace tine::rpc
