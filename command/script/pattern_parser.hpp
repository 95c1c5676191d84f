#pragma once

#include <set>
#include <string>

#include "command/script/cursor.hpp"
#include "command/script/pattern.hpp"

namespace tine::command {

// A parser of patterns and messages to send. Throws TranscriptError.
//
// `names` are the names captured so far. The names that the pattern itself captures are in
// captured(); they count from the next statement on.
class PatternParser {
 public:
  PatternParser(Cursor& cursor, const std::set<std::string>& names)
      : cursor_(cursor), names_(names) {}

  Pattern pattern();
  // Parses a message to send: JSON and captured values.
  Pattern message();
  // Parses the pattern of a string: a string, a regular expression, `any` or a captured value.
  Pattern string_pattern();

  const std::set<std::string>& captured() const { return captured_; }

 private:
  Pattern value(std::size_t depth);
  Pattern object(std::size_t depth);
  Pattern array(std::size_t depth);
  Pattern text();
  Pattern number();
  Pattern word();
  Pattern regex();
  Pattern variable(std::size_t depth);
  Pattern literal(std::size_t begin);
  std::string name();
  bool dots(char close);
  bool next_item(char close, const Pattern& pattern);

  Cursor& cursor_;
  const std::set<std::string>& names_;
  std::set<std::string> captured_;
  bool placeholders_ = true;
};

// Parses the JSON string at the cursor. Throws TranscriptError.
std::string parse_string(Cursor& cursor);

}  // namespace tine::command
