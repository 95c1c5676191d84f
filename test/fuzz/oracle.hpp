// What tine is held against: nlohmann's parser, with the differences that FORMAT.md lists.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

// The value a text stands for; nullopt if reading it is to be an error.
std::optional<nlohmann::json> expected_value(std::string_view text, std::size_t max_depth);

// Equal in value and in type. Of zeros the sign counts only in a double: simdjson and nlohmann do not
// agree about the type of `-0`.
bool same(const nlohmann::json& left, const nlohmann::json& right);

// How a stream is to be cut into lines.
struct Lines {
  std::vector<std::string_view> lines;
  bool overflown = false;  // a line longer than max_line came behind those
};
Lines split(std::string_view stream, std::size_t max_line);
