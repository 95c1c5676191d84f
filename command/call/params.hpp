#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace tine::command {

// Reads all of stdin. Throws std::system_error.
std::string read_stdin();

// Parses JSON. What is not JSON is reported on stderr, with its place; `source` says where it came from.
// Returns false then.
bool parse_json(std::string_view text, const char* source, nlohmann::json& value);

}  // namespace tine::command
