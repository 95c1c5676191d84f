#include "command/script/call_messages.hpp"

#include <utility>

namespace tine::command {

namespace {

using nlohmann::json;

const json* member(const json* value, const char* name) {
  if (value == nullptr || !value->is_object()) return nullptr;
  const auto found = value->find(name);
  return found == value->end() ? nullptr : &*found;
}

bool is(const json* value, const json& wanted) { return value != nullptr && *value == wanted; }

}  // namespace

json call_message(int id, const std::string& method, json params) {
  json message = {{"jsonrpc", "2.0"}, {"id", id}, {"method", method}};
  if (!params.is_null()) message["params"] = std::move(params);
  return message;
}

json cancel_message(int id) {
  return {{"jsonrpc", "2.0"}, {"method", "$/cancelRequest"}, {"params", {{"id", id}}}};
}

std::optional<Reply> reply_in(const json& message, int id) {
  if (const json* const method = member(&message, "method")) {
    const json* const params = member(&message, "params");
    const json* const value = member(params, "value");
    if (value == nullptr || *method != "$/progress" || !is(member(params, "token"), id)) return {};
    return Reply{Step::Kind::expect_progress, value};
  }
  if (!is(member(&message, "id"), id)) return {};
  const json* const error = member(&message, "error");
  if (error != nullptr && !error->is_null()) return Reply{Step::Kind::expect_error, error};
  const json* const result = member(&message, "result");
  if (result == nullptr) return {};
  return Reply{Step::Kind::expect_result, result};
}

std::string_view reply_words(Step::Kind kind) {
  switch (kind) {
    case Step::Kind::expect_progress: return "progress ";
    case Step::Kind::expect_result: return "=> ";
    case Step::Kind::expect_error: return "=> error ";
    default: return "";
  }
}

}  // namespace tine::command
