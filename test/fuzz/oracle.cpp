#include "fuzz/oracle.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

using nlohmann::json;

namespace {

constexpr unsigned first_high = 0xD800;
constexpr unsigned first_low = 0xDC00;
constexpr unsigned end_of_low = 0xE000;

// Returns the code unit of the \uXXXX at the start of a text, or 0 if it does not start with one.
unsigned escape_at_front(std::string_view text) {
  if (text.size() < 6 || !text.starts_with("\\u")) return 0;
  unsigned unit = 0;
  const auto [end, error] = std::from_chars(&text[2], &text[2] + 4, unit, 16);
  return error == std::errc() && end == &text[2] + 4 ? unit : 0;
}

// Replaces surrogate escapes without a partner by escapes of U+FFFD.
std::string repaired(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const unsigned unit = escape_at_front(text);
    const bool surrogate = unit >= first_high && unit < end_of_low;
    const unsigned second = surrogate && unit < first_low ? escape_at_front(text.substr(6)) : 0;
    const bool pair = second >= first_low && second < end_of_low;
    const std::size_t length = pair ? 12 : surrogate ? 6 : text[0] == '\\' ? 2 : 1;
    out += surrogate && !pair ? "\\ufffd" : text.substr(0, length);
    text.remove_prefix(std::min(length, text.size()));
  }
  return out;
}

// Returns the nesting depth of a valid text.
std::size_t depth_of(std::string_view text) {
  std::size_t deepest = 0;
  const auto look = [&](int open, json::parse_event_t event, json&) {
    if (event == json::parse_event_t::array_start || event == json::parse_event_t::object_start) {
      deepest = std::max(deepest, static_cast<std::size_t>(open) + 1);
    }
    return true;
  };
  const json unused = json::parse(text, look, false);
  return deepest;
}

bool may_be_deeper(std::string_view text, std::size_t max_depth) {
  const auto opens = [](char c) { return c == '[' || c == '{'; };
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), opens)) > max_depth;
}

}  // namespace

std::optional<json> expected_value(std::string_view text, std::size_t max_depth) {
  if (text.starts_with("\xEF\xBB\xBF") || text.find('\0') != text.npos) return std::nullopt;
  json value = json::parse(text, nullptr, false);
  if (value.is_discarded() && (text.find("\\ud") != text.npos || text.find("\\uD") != text.npos)) {
    const std::string good = repaired(text);
    value = json::parse(good, nullptr, false);
    if (!value.is_discarded() && may_be_deeper(good, max_depth) && depth_of(good) > max_depth) {
      return std::nullopt;
    }
  } else if (may_be_deeper(text, max_depth) && depth_of(text) > max_depth) {
    return std::nullopt;
  }
  if (value.is_discarded()) return std::nullopt;
  return value;
}

bool same(const json& left, const json& right) {
  if (left.is_number_integer() && right.is_number_integer() && left == 0 && right == 0) return true;
  if (left.type() != right.type() || left.size() != right.size()) return false;
  if (left.is_object()) {
    return std::equal(left.items().begin(), left.items().end(), right.items().begin(),
                      [](const auto& one, const auto& other) {
                        return one.key() == other.key() && same(one.value(), other.value());
                      });
  }
  if (left.is_array()) return std::equal(left.begin(), left.end(), right.begin(), same);
  if (left.is_number_float()) {
    return left == right && std::signbit(left.get<double>()) == std::signbit(right.get<double>());
  }
  return left == right;
}

Lines split(std::string_view stream, std::size_t max_line) {
  Lines found;
  for (;;) {
    const std::size_t end = stream.find('\n');
    found.overflown = std::min(end, stream.size()) > max_line;
    if (found.overflown || end == stream.npos) return found;
    found.lines.push_back(stream.substr(0, end));
    stream.remove_prefix(end + 1);
  }
}
