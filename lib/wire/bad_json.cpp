#include "wire/bad_json.hpp"

#include <string>

namespace tine::wire {

namespace {

// Returns the first offset outside of strings for which `found` returns true. Calls `found` for
// those offsets in order.
template <class Found>
std::optional<std::size_t> find_outside_strings(std::string_view text, Found found) {
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') {
      in_string = !in_string;
    } else if (in_string) {
      if (c == '\\') ++i;
    } else if (found(i)) {
      return i;
    }
  }
  return std::nullopt;
}

// Returns the first offset at which arrays and objects are nested deeper than allowed.
std::optional<std::size_t> too_deep_at(std::string_view text, std::size_t max_depth) {
  std::size_t depth = 0;
  return find_outside_strings(text, [&](std::size_t i) {
    const char c = text[i];
    if (c == '[' || c == '{') return ++depth > max_depth;
    if ((c == ']' || c == '}') && depth > 0) --depth;
    return false;
  });
}

// Returns the reason in an nlohmann error text: what follows the dash, without "last read". Example
// of such a text: "[json.exception.parse_error.101] parse error at line 1, column 6: syntax error
// while parsing value - unexpected ','; expected '[', '{', or a literal; last read: …".
std::string plain_reason(std::string_view what) {
  constexpr std::string_view dash = " - ";
  constexpr std::size_t longest = 160;
  if (const auto at = what.find(dash); at != what.npos) what.remove_prefix(at + dash.size());
  return std::string(what.substr(0, what.find("; last read")).substr(0, longest));
}

}  // namespace

std::optional<BadMessage> nested_too_deep(std::string_view text, std::size_t max_depth,
                                          std::size_t searched) {
  const auto at = too_deep_at(text.substr(0, searched), max_depth);
  if (!at) return std::nullopt;
  return bad_message(text, *at, "nested more than " + std::to_string(max_depth) + " deep");
}

BadMessage syntax_error(std::string_view text, std::size_t byte, std::string_view what) {
  return bad_message(text, byte > 0 ? byte - 1 : 0, plain_reason(what));
}

BadMessage number_out_of_range(std::string_view text, std::string_view what) {
  constexpr std::string_view digits = "0123456789+-.eE";
  const std::size_t open = what.find('\'') + 1;
  const std::string_view number = what.substr(open, what.rfind('\'') - open);
  const auto at = find_outside_strings(text, [&](std::size_t i) {
    if (i > 0 && digits.find(text[i - 1]) != digits.npos) return false;
    return text.substr(i, text.find_first_not_of(digits, i) - i) == number;
  });
  return bad_message(text, at.value_or(0), "a number is out of range");
}

}  // namespace tine::wire
