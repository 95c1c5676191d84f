#pragma once

#include <map>
#include <memory>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace tine::command {

// The captured values, by name.
using Captures = std::map<std::string, nlohmann::json>;

// A message in a transcript: JSON with placeholders. In a message to send, the only placeholders
// are the values captured before.
struct Pattern {
  enum class Kind {
    value,  // exactly this scalar
    object,
    array,
    any,
    number,
    integer,
    string,
    boolean,
    any_object,
    any_array,
    regex,
    captured,
  };

  Kind kind = Kind::any;
  nlohmann::json value = {};
  std::string text = {};  // the source text of a placeholder, a regex or a captured value
  std::shared_ptr<const std::regex> regex = {};
  std::string name = {};  // the name of the member, in an object
  std::vector<Pattern> members = {};
  std::vector<Pattern> items = {};
  bool open = false;         // "...": more members or items are allowed
  std::string capture = {};  // the name under which to capture the matching value
};

// The longest string that a regular expression is tried on, in bytes: std::regex uses stack space
// for each character. A longer string does not match.
inline constexpr std::size_t longest_regex_subject = 4000;

bool matches(const Pattern& pattern, const nlohmann::json& value, const Captures& captures);

// Stores the values that the pattern captures. The pattern must match `value`.
void capture(const Pattern& pattern, const nlohmann::json& value, Captures& captures);

// Returns the message that a pattern to send stands for. All values it refers to must be captured.
nlohmann::json instance(const Pattern& pattern, const Captures& captures);

// Formats a pattern on several lines, as a transcript could have it. Parts that match `value`, if
// given, are shown as they are in `value`, so that a diff shows only the parts that do not match.
std::string print_pattern(const Pattern& pattern, const nlohmann::json* value,
                          const Captures& captures);

}  // namespace tine::command
