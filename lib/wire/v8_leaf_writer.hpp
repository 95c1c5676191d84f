#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "wire/v8_output.hpp"
#include "wire/v8_tags.hpp"

namespace tine::wire {

// Write a value that has no other values in it, and return why it cannot be written; null if it can.
const char* write_text(V8Output& out, const std::string& text);
const char* write_number(V8Output& out, const nlohmann::json& number);
const char* write_binary(V8Output& out, const nlohmann::json::binary_t& bytes);
// The same for an object that has this meaning.
const char* write_leaf(V8Output& out, V8Meaning meaning, const nlohmann::json::object_t& object);

}  // namespace tine::wire
