#include "command/script/pattern_parser.hpp"

#include <array>
#include <cctype>
#include <utility>

namespace tine::command {

namespace {

using nlohmann::json;
using Kind = Pattern::Kind;

constexpr std::size_t deepest = 200;
constexpr std::size_t longest_regex = 1000;

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }
bool is_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

struct Word {
  std::string_view text;
  Kind kind;
};
constexpr std::array<Word, 7> placeholders{{{"any", Kind::any},
                                            {"number", Kind::number},
                                            {"integer", Kind::integer},
                                            {"string", Kind::string},
                                            {"boolean", Kind::boolean},
                                            {"object", Kind::any_object},
                                            {"array", Kind::any_array}}};

// Moves past the string that begins at the cursor, without a check of its content.
void skip_string(Cursor& cursor) {
  const std::size_t begin = cursor.offset();
  cursor.skip();
  while (cursor.peek() != '"') {
    if (cursor.at_end() || cursor.peek() == '\n') cursor.fail_at(begin, "a string without end");
    cursor.skip(cursor.peek() == '\\' ? 2 : 1);
  }
  cursor.skip();
}

// Whether a regular expression has a long number, such as a count or the number of a group:
// libstdc++ overflows on these.
bool has_long_number(std::string_view regex) {
  constexpr std::size_t longest = 5;
  std::size_t digits = 0;
  for (const char c : regex) {
    digits = std::isdigit(static_cast<unsigned char>(c)) != 0 ? digits + 1 : 0;
    if (digits > longest) return true;
  }
  return false;
}

json parse_token(const Cursor& cursor, std::size_t begin) {
  const std::string_view token = cursor.since(begin);
  try {
    return json::parse(token);
  } catch (const json::parse_error& error) {
    const std::size_t byte = error.byte > 0 ? error.byte - 1 : 0;
    cursor.fail_at(begin + std::min(byte, token.size()), "this is no JSON: " + std::string(token));
  } catch (const json::exception&) {
    cursor.fail_at(begin, "this number is too large");
  }
}

}  // namespace

std::string parse_string(Cursor& cursor) {
  const std::size_t begin = cursor.offset();
  skip_string(cursor);
  return parse_token(cursor, begin).get<std::string>();
}

Pattern PatternParser::pattern() {
  placeholders_ = true;
  Pattern parsed = value(0);
  return parsed;
}

Pattern PatternParser::message() {
  placeholders_ = false;
  return value(0);
}

Pattern PatternParser::string_pattern() {
  const std::size_t begin = cursor_.offset();
  Pattern parsed = pattern();
  const bool fits = parsed.kind == Kind::regex || parsed.kind == Kind::any ||
                    parsed.kind == Kind::captured || parsed.value.is_string();
  if (!fits) cursor_.fail_at(begin, "expected a string, a regular expression or any");
  return parsed;
}

Pattern PatternParser::value(std::size_t depth) {
  cursor_.skip_blanks();
  if (depth > deepest) cursor_.fail("nested too deeply");
  const char c = cursor_.peek();
  if (c == '{') return object(depth);
  if (c == '[') return array(depth);
  if (c == '"') return text();
  if (c == '/' && placeholders_) return regex();
  if (c == '$') return variable(depth);
  if (c == '-' || std::isdigit(static_cast<unsigned char>(c)) != 0) return number();
  if (is_letter(c)) return word();
  cursor_.fail(placeholders_ ? "expected JSON or a placeholder" : "expected JSON");
}

Pattern PatternParser::object(std::size_t depth) {
  Pattern made{.kind = Kind::object};
  std::set<std::string> known;
  cursor_.skip();
  while (next_item('}', made)) {
    if ((made.open = dots('}'))) break;
    if (cursor_.peek() != '"') cursor_.fail("expected the name of a member, in quotes");
    const std::size_t begin = cursor_.offset();
    std::string name = parse_string(cursor_);
    if (!known.insert(name).second) cursor_.fail_at(begin, "this member is there twice");
    cursor_.skip_blanks();
    if (!cursor_.skip_if(":")) cursor_.fail("expected ':'");
    made.members.push_back(value(depth + 1));
    made.members.back().name = std::move(name);
  }
  return made;
}

Pattern PatternParser::array(std::size_t depth) {
  Pattern made{.kind = Kind::array};
  cursor_.skip();
  while (next_item(']', made)) {
    if ((made.open = dots(']'))) break;
    made.items.push_back(value(depth + 1));
  }
  return made;
}

// Moves past the comma, to the next item. At the end, moves past `close` and returns false.
bool PatternParser::next_item(char close, const Pattern& pattern) {
  const bool first = pattern.members.empty() && pattern.items.empty();
  cursor_.skip_blanks();
  if (cursor_.peek() == close) {
    cursor_.skip();
    return false;
  }
  if (!first && !cursor_.skip_if(",")) {
    cursor_.fail(std::string("expected ',' or '") + close + "'");
  }
  cursor_.skip_blanks();
  if (!first && cursor_.peek() == close) cursor_.fail("a comma with nothing behind it");
  return true;
}

bool PatternParser::dots(char close) {
  if (!placeholders_ || !cursor_.skip_if("...")) return false;
  cursor_.skip_blanks();
  if (!cursor_.skip_if(std::string_view(&close, 1))) {
    cursor_.fail(std::string("\"...\" stands last: expected '") + close + "'");
  }
  return true;
}

Pattern PatternParser::literal(std::size_t begin) {
  return {.kind = Kind::value, .value = parse_token(cursor_, begin)};
}

Pattern PatternParser::text() {
  const std::size_t begin = cursor_.offset();
  skip_string(cursor_);
  return literal(begin);
}

Pattern PatternParser::number() {
  const std::size_t begin = cursor_.offset();
  cursor_.take_while([](char c) { return is_name(c) || c == '.' || c == '-' || c == '+'; });
  return literal(begin);
}

Pattern PatternParser::word() {
  const std::size_t begin = cursor_.offset();
  const std::string found(cursor_.take_while(is_name));
  if (found == "true" || found == "false" || found == "null") return literal(begin);
  for (const Word& known : placeholders) {
    if (placeholders_ && found == known.text) return {.kind = known.kind, .text = found};
  }
  cursor_.fail_at(begin, placeholders_ ? "\"" + found + "\" is neither JSON nor a placeholder"
                                       : "\"" + found + "\" is no JSON");
}

Pattern PatternParser::regex() {
  const std::size_t begin = cursor_.offset();
  std::string source;
  cursor_.skip();
  while (cursor_.peek() != '/') {
    if (cursor_.at_end() || cursor_.peek() == '\n') {
      cursor_.fail_at(begin, "a regular expression without end");
    }
    if (cursor_.peek() == '\\' && !cursor_.starts_with("\\/")) {
      source += '\\';
      cursor_.skip();
      if (cursor_.at_end()) continue;
    } else if (cursor_.peek() == '\\') {
      cursor_.skip();
    }
    source += cursor_.peek();
    cursor_.skip();
  }
  cursor_.skip();
  auto flags = std::regex::ECMAScript;
  if (cursor_.skip_if("i")) flags |= std::regex::icase;
  if (source.size() > longest_regex) cursor_.fail_at(begin, "this regular expression is too long");
  if (has_long_number(source)) {
    cursor_.fail_at(begin, "a number in this regular expression is too long");
  }
  try {
    return {.kind = Kind::regex,
            .text = std::string(cursor_.since(begin)),
            .regex = std::make_shared<std::regex>(source, flags)};
  } catch (const std::regex_error&) {
    cursor_.fail_at(begin, "this is no regular expression of ECMAScript");
  }
}

std::string PatternParser::name() {
  const std::string found(cursor_.take_while(is_name));
  if (found.empty()) cursor_.fail("expected the name of a captured value");
  return found;
}

Pattern PatternParser::variable(std::size_t depth) {
  const std::size_t begin = cursor_.offset();
  cursor_.skip();
  std::string found = name();
  if (placeholders_ && cursor_.skip_if("=")) {
    if (!captured_.insert(found).second) cursor_.fail_at(begin, "$" + found + " is captured twice");
    Pattern captured = value(depth + 1);
    if (!captured.capture.empty()) cursor_.fail_at(begin, "one value with two names");
    captured.capture = std::move(found);
    return captured;
  }
  if (!names_.contains(found)) cursor_.fail_at(begin, "$" + found + " was not captured above");
  return {.kind = Kind::captured, .text = "$" + found};
}

}  // namespace tine::command
