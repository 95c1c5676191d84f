#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "command/script/transcript.hpp"

namespace tine::command {

// The messages of JSON-RPC 2.0 that a transcript's `call` and `cancel` send. Null params mean that
// there are none.
nlohmann::json call_message(int id, const std::string& method, nlohmann::json params);
nlohmann::json cancel_message(int id);

// What a message says about a call. `value` is a part of the message.
struct Reply {
  Step::Kind kind;  // expect_progress, expect_result or expect_error
  const nlohmann::json* value;
};

// Returns what a message says about the call with this id; nullopt if it says nothing about it.
std::optional<Reply> reply_in(const nlohmann::json& message, int id);

// Returns the words before the value in a transcript: "progress ", "=> " or "=> error ".
std::string_view reply_words(Step::Kind kind);

}  // namespace tine::command
