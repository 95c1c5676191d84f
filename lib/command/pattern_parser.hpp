#pragma once

#include <set>
#include <string>

#include "command/cursor.hpp"
#include "command/pattern.hpp"

namespace tine::command {

// Reads patterns, and what is to be sent. `names` are those captured so far; a pattern adds its own,
// which count from the next statement on. Throws TranscriptError.
class PatternParser {
 public:
  PatternParser(Cursor& cursor, const std::set<std::string>& names)
      : cursor_(cursor), names_(names) {}

  Pattern pattern();
  // Without placeholders.
  Pattern message();
  // Of a string: it, a regular expression, or `any`.
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

// A JSON string at the cursor. Throws TranscriptError.
std::string parse_string(Cursor& cursor);

}  // namespace tine::command
