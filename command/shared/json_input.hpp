#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace tine::command {

// Read all of a file, and of stdin. They throw std::system_error.
std::string read_file(const std::string& path);
std::string read_stdin();

// Parses JSON. What is not JSON is reported on stderr, with its place; `source` says where it came from.
// Returns false then.
bool parse_json(std::string_view text, const char* source, nlohmann::json& value);

}  // namespace tine::command
