#pragma once

#include <map>
#include <memory>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace tine::command {

// Values that a pattern has taken, by their names.
using Captures = std::map<std::string, nlohmann::json>;

// What a transcript says of a message: JSON, with placeholders. Also what it sends, which has no
// placeholders but the values captured before.
struct Pattern {
  enum class Kind {
    value,  // this one; of a scalar
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
  std::string text = {};  // as it is written: of a regex, of a captured value
  std::shared_ptr<const std::regex> regex = {};
  std::string name = {};  // of a member of an object
  std::vector<Pattern> members = {};
  std::vector<Pattern> items = {};
  bool open = false;         // "...": there may be more members, or items
  std::string capture = {};  // the name that what matches is to have
};

// A regular expression does not look at longer strings: std::regex takes stack for each character.
inline constexpr std::size_t longest_regex_subject = 4000;

bool matches(const Pattern& pattern, const nlohmann::json& value, const Captures& captures);

// Takes the values that a pattern which matches captures.
void capture(const Pattern& pattern, const nlohmann::json& value, Captures& captures);

// What a pattern without placeholders stands for. All it refers to is captured.
nlohmann::json instance(const Pattern& pattern, const Captures& captures);

// A pattern over several lines, as it could be written. What matches in `value`, if there is one, is
// shown as it came, so that a diff tells only what does not.
std::string print_pattern(const Pattern& pattern, const nlohmann::json* value,
                          const Captures& captures);

}  // namespace tine::command
