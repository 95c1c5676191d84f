// The reference for tine: nlohmann's parser, with the differences that FORMAT.md lists.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

// Returns the value of a text, or nullopt if reading it must be an error.
std::optional<nlohmann::json> expected_value(std::string_view text, std::size_t max_depth);

// Returns whether two values are equal in value and type. The sign of a zero matters only for
// doubles. Integer zeros may differ in type, because simdjson and nlohmann disagree about the type
// of `-0`.
bool same(const nlohmann::json& left, const nlohmann::json& right);

// The lines that a stream must be cut into.
struct Lines {
  std::vector<std::string_view> lines;
  bool overflown = false;  // the next line is longer than max_line
};
Lines split(std::string_view stream, std::size_t max_line);
