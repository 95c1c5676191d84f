#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <set>
#include <utility>

#include "command/script/pattern_parser.hpp"
#include "command/script/transcript.hpp"

namespace tine::command {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds usual_deadline{10'000};

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool in_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
}
bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

// A line-by-line parser. A line that begins with a blank continues the statement before it.
class TranscriptParser {
 public:
  TranscriptParser(Transcript& transcript, const Variables& variables)
      : transcript_(transcript), variables_(variables) {}

  void parse() {
    const std::string_view text = transcript_.text;
    std::size_t begin = text.starts_with("\xef\xbb\xbf") ? 3 : 0;
    for (std::size_t line = 1; begin < text.size(); ++line) {
      const std::size_t first_end = end_of_line(begin);
      std::size_t end = first_end;
      while (end < text.size() && continues(end + 1)) end = end_of_line(end + 1);
      // A comment or an empty line cannot be continued.
      if (is_statement(begin, first_end)) {
        statement(begin, end, line);
      } else if (end > first_end) {
        Cursor(text, first_end + 1, end)
            .fail("this goes on with no statement: it begins with a blank");
      }
      line += line_feeds(begin, end);
      begin = end + 1;
    }
  }

 private:
  std::size_t end_of_line(std::size_t begin) const {
    return std::min(transcript_.text.find('\n', begin), transcript_.text.size());
  }

  bool continues(std::size_t begin) const {
    const std::string_view line = line_at(begin);
    return !line.empty() && is_blank(line.front()) && line.find_first_not_of(" \t\r") != line.npos;
  }

  std::string_view line_at(std::size_t begin) const {
    return std::string_view(transcript_.text).substr(begin, end_of_line(begin) - begin);
  }

  bool is_statement(std::size_t begin, std::size_t end) const {
    const auto line = std::string_view(transcript_.text).substr(begin, end - begin);
    return line.find_first_not_of(" \t\r") != line.npos && line.front() != '#';
  }

  std::size_t line_feeds(std::size_t begin, std::size_t end) const {
    const std::string_view between = std::string_view(transcript_.text).substr(begin, end - begin);
    return static_cast<std::size_t>(std::count(between.begin(), between.end(), '\n'));
  }

  void statement(std::size_t begin, std::size_t end, std::size_t line);
  void steps(Cursor& cursor, std::size_t begin, std::size_t end, std::size_t line);
  void step(Cursor& cursor, Step& made);
  std::string child_name(Cursor& cursor) const;
  bool setting(Cursor& cursor);
  void content(Cursor& cursor, Step& made);
  void send_or_receive(Cursor& cursor, Step& made);
  void take_pattern(Cursor& cursor, Step& made, Pattern (PatternParser::*form)());
  void fork(Cursor& cursor, Step& made);
  void call(Cursor& cursor, Step& made);
  void answer(Cursor& cursor, Step& made);
  void exit(Cursor& cursor, Step& made);
  void deadline(Cursor& cursor);
  void serialization(Cursor& cursor);
  void require_child(const Cursor& cursor, const Step& made) const;
  void look_at_call(const Cursor& cursor, const Step& made);

  std::string word(Cursor& cursor, const char* what) const;
  std::string substituted(const Cursor& cursor, std::size_t begin, std::string_view text) const;
  std::vector<std::string> words(Cursor& cursor) const;
  static milliseconds duration(Cursor& cursor);
  static void end_of_statement(Cursor& cursor);

  Transcript& transcript_;
  const Variables& variables_;
  ChildOptions settings_;
  milliseconds deadline_ = usual_deadline;
  std::set<std::string> children_;
  std::set<std::string> called_;   // children with a call that is not answered
  std::set<std::string> names_;    // captured
  std::set<std::string> pending_;  // captured by the current group
};

void TranscriptParser::statement(std::size_t begin, std::size_t end, std::size_t line) {
  Cursor cursor(transcript_.text, begin, end);
  if (is_blank(cursor.peek())) cursor.fail("a statement does not begin with a blank");
  if (!setting(cursor)) steps(cursor, begin, end, line);
  end_of_statement(cursor);
}

void TranscriptParser::end_of_statement(Cursor& cursor) {
  cursor.skip_blanks();
  if (!cursor.at_end()) cursor.fail("this is too much");
}

// Moves past `word` and the blanks after it, if it stands alone.
bool skip_word(Cursor& cursor, std::string_view word) {
  Cursor ahead = cursor;
  if (!ahead.skip_if(word) || in_name(ahead.peek()) || ahead.peek() == ':') return false;
  cursor = ahead;
  cursor.skip_blanks();
  return true;
}

bool TranscriptParser::setting(Cursor& cursor) {
  if (skip_word(cursor, "env")) {
    for (const std::string& variable : words(cursor)) settings_.env.push_back(variable);
  } else if (skip_word(cursor, "cwd")) {
    settings_.cwd = cursor.at_end() ? "" : word(cursor, "a directory");
  } else if (skip_word(cursor, "exec")) {
    auto command = words(cursor);
    settings_.exec_path = command.empty() ? "" : command.front();
    if (!command.empty()) command.erase(command.begin());
    settings_.exec_args = std::move(command);
  } else if (skip_word(cursor, "deadline")) {
    deadline(cursor);
  } else if (skip_word(cursor, "serialization")) {
    serialization(cursor);
  } else {
    return false;
  }
  return true;
}

void TranscriptParser::deadline(Cursor& cursor) {
  if (skip_word(cursor, "all")) {
    transcript_.deadline = duration(cursor);
  } else {
    deadline_ = duration(cursor);
  }
}

void TranscriptParser::serialization(Cursor& cursor) {
  const std::size_t begin = cursor.offset();
  const auto named = serialization_named(word(cursor, "json or advanced"));
  if (!named) cursor.fail_at(begin, "expected json or advanced");
  settings_.serialization = *named;
}

// Takes the name of the child before a step, "name:". Returns "" if there is none.
std::string TranscriptParser::child_name(Cursor& cursor) const {
  Cursor ahead = cursor;
  std::string name(ahead.take_while(in_name));
  if (name.empty() || !ahead.skip_if(":")) return {};
  cursor = ahead;
  cursor.skip_blanks();
  return name;
}

bool is_about_call(Step::Kind kind) {
  return kind == Step::Kind::cancel || kind == Step::Kind::expect_progress ||
         kind == Step::Kind::expect_result || kind == Step::Kind::expect_error;
}

// Whether a step that a call may have in its own statement begins here.
bool at_reply(Cursor cursor) { return cursor.starts_with("=>") || skip_word(cursor, "progress"); }

// A call, and what is expected of it, may be one statement.
void TranscriptParser::steps(Cursor& cursor, std::size_t begin, std::size_t end, std::size_t line) {
  const std::string source = transcript_.text.substr(begin, end - begin);
  Step made{.begin = begin, .end = end, .source = source, .deadline = deadline_};
  made.child = child_name(cursor);
  for (;;) {
    made.line = line + line_feeds(begin, made.begin);
    step(cursor, made);
    transcript_.steps.push_back(made);
    const std::size_t step_end =
        transcript_.text.find_last_not_of(" \t\r\n", cursor.offset() - 1) + 1;
    cursor.skip_blanks();
    const bool more = made.kind == Step::Kind::call || made.kind == Step::Kind::expect_progress;
    if (!more || !at_reply(cursor)) return;
    transcript_.steps.back().end = step_end;
    made = {.child = made.child,
            .begin = cursor.offset(),
            .end = end,
            .joined = true,
            .source = source,
            .deadline = deadline_};
  }
}

void TranscriptParser::step(Cursor& cursor, Step& made) {
  content(cursor, made);
  const bool of_all = made.kind == Step::Kind::quiet && made.child.empty();
  if (!of_all) require_child(cursor, made);
  look_at_call(cursor, made);
}

void TranscriptParser::require_child(const Cursor& cursor, const Step& made) const {
  if (children_.contains(made.child)) return;
  cursor.fail_at(made.begin, made.child.empty()
                                 ? "there is no child without a name here: none was forked above"
                                 : "no child \"" + made.child + "\" was forked above");
}

void TranscriptParser::look_at_call(const Cursor& cursor, const Step& made) {
  if (made.kind == Step::Kind::call) called_.insert(made.child);
  if (!is_about_call(made.kind)) return;
  if (!called_.contains(made.child)) {
    cursor.fail_at(made.begin, "no call above waits for its answer");
  }
  const bool answered = made.kind != Step::Kind::cancel && made.kind != Step::Kind::expect_progress;
  if (answered) called_.erase(made.child);
}

void TranscriptParser::content(Cursor& cursor, Step& made) {
  if (cursor.skip_if("=>")) return answer(cursor, made);
  if (cursor.peek() == '>' || cursor.peek() == '<') return send_or_receive(cursor, made);
  const std::size_t begin = cursor.offset();
  const std::string verb(cursor.take_while(in_name));
  const bool apart = cursor.at_end() || is_blank(cursor.peek()) || cursor.peek() == '\r';
  if (!apart) cursor.fail(verb.empty() ? "expected a statement" : "expected a blank");
  cursor.skip_blanks();
  if (verb == "fork") return fork(cursor, made);
  if (verb == "exit") return exit(cursor, made);
  if (verb == "call") return call(cursor, made);
  if (verb == "stdout") {
    made.kind = Step::Kind::expect_stdout;
    take_pattern(cursor, made, &PatternParser::string_pattern);
  } else if (verb == "progress") {
    made.kind = Step::Kind::expect_progress;
    take_pattern(cursor, made, &PatternParser::pattern);
  } else if (verb == "cancel") {
    made.kind = Step::Kind::cancel;
  } else if (verb == "quiet") {
    made.kind = Step::Kind::quiet;
    made.quiet = duration(cursor);
  } else if (verb == "disconnect") {
    made.kind = Step::Kind::disconnect;
  } else if (verb == "kill") {
    made.kind = Step::Kind::kill;
    const std::size_t at = cursor.offset();
    const auto signal = cursor.at_end() ? SIGTERM : signal_number(word(cursor, "a signal"));
    if (!signal) cursor.fail_at(at, "this is no signal; SIGTERM is one");
    made.signal = *signal;
  } else {
    cursor.fail_at(begin, "\"" + verb + "\" is no statement");
  }
}

void TranscriptParser::send_or_receive(Cursor& cursor, Step& made) {
  if (cursor.skip_if(">")) {
    made.kind = Step::Kind::send;
    return take_pattern(cursor, made, &PatternParser::message);
  }
  cursor.skip();
  made.kind = cursor.skip_if("*") ? Step::Kind::receive_any_order : Step::Kind::receive;
  cursor.skip_blanks();
  if (made.kind == Step::Kind::receive && skip_word(cursor, "disconnect")) {
    made.kind = Step::Kind::expect_disconnect;
    return;
  }
  take_pattern(cursor, made, &PatternParser::pattern);
}

void TranscriptParser::take_pattern(Cursor& cursor, Step& made, Pattern (PatternParser::*form)()) {
  if (made.kind != Step::Kind::receive_any_order) names_.merge(pending_);
  PatternParser parser(cursor, names_);
  made.pattern = (parser.*form)();
  auto captured = parser.captured();
  // Only at the end of a group is it known which message each pattern gets.
  (made.kind == Step::Kind::receive_any_order ? pending_ : names_).merge(captured);
}

void TranscriptParser::fork(Cursor& cursor, Step& made) {
  made.kind = Step::Kind::fork;
  made.options = settings_;
  const std::size_t begin = cursor.offset();
  made.options.child = word(cursor, "the program to fork");
  made.options.args = words(cursor);
  if (!children_.insert(made.child).second) {
    cursor.fail_at(begin, made.child.empty()
                              ? "there is a child without a name already: give this one a name"
                              : "there is a child \"" + made.child + "\" already");
  }
}

void TranscriptParser::call(Cursor& cursor, Step& made) {
  made.kind = Step::Kind::call;
  made.method = word(cursor, "the method to call");
  if (!cursor.at_end() && !at_reply(cursor)) take_pattern(cursor, made, &PatternParser::message);
}

void TranscriptParser::answer(Cursor& cursor, Step& made) {
  cursor.skip_blanks();
  made.kind = skip_word(cursor, "error") ? Step::Kind::expect_error : Step::Kind::expect_result;
  take_pattern(cursor, made, &PatternParser::pattern);
}

void TranscriptParser::exit(Cursor& cursor, Step& made) {
  made.kind = Step::Kind::exit;
  const std::size_t begin = cursor.offset();
  const std::string status = word(cursor, "a code, a signal or any");
  if (status == "any") return;
  if (const auto signal = signal_number(status)) {
    made.status = ExitStatus{.signal = *signal};
    return;
  }
  constexpr int most = 255;
  int code = 0;
  const auto [stop, error] = std::from_chars(status.data(), status.data() + status.size(), code);
  if (error != std::errc() || stop != status.data() + status.size() || code < 0 || code > most) {
    cursor.fail_at(begin, "expected a code from 0 to 255, a signal or any");
  }
  made.status = ExitStatus{.code = code};
}

milliseconds TranscriptParser::duration(Cursor& cursor) {
  struct Unit {
    std::string_view name;
    int factor;
  };
  constexpr std::array<Unit, 3> units{{{"ms", 1}, {"s", 1000}, {"m", 60'000}}};
  const std::size_t begin = cursor.offset();
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const std::string_view digits = cursor.take_while(is_digit);
  const std::string_view unit = cursor.take_while(in_name);
  int count = 0;
  constexpr int most = 86'400;
  std::from_chars(digits.data(), digits.data() + digits.size(), count);
  for (const Unit& known : units) {
    const bool fits =
        !digits.empty() && digits.size() < 9 && count / 1000 <= most / known.factor * 1000;
    if (fits && known.name == unit) return milliseconds(std::int64_t{count} * known.factor);
  }
  cursor.fail_at(begin, "expected a time, as 200ms, 2s or 1m");
}

std::string TranscriptParser::word(Cursor& cursor, const char* what) const {
  if (cursor.at_end()) cursor.fail(std::string("expected ") + what);
  const std::size_t begin = cursor.offset();
  std::string text;
  if (cursor.peek() == '"') {
    text = parse_string(cursor);
    if (!cursor.at_end() && !is_blank(cursor.peek()) && cursor.peek() != '\r' &&
        cursor.peek() != '\n') {
      cursor.fail("expected a blank behind the string");
    }
  } else {
    text = cursor.take_while([](char c) { return !is_blank(c) && !is_control(c); });
    if (text.empty()) cursor.fail("a control character");
  }
  cursor.skip_blanks();
  std::string whole = substituted(cursor, begin, text);
  if (whole.find('\0') != std::string::npos) cursor.fail_at(begin, "a NUL cannot be passed on");
  return whole;
}

// Takes the remaining words. A word that begins with ${NAME}, not in quotes, is left out if it
// comes out empty.
std::vector<std::string> TranscriptParser::words(Cursor& cursor) const {
  std::vector<std::string> all;
  while (!cursor.at_end()) {
    const bool optional = cursor.starts_with("${");
    std::string next = word(cursor, "a word");
    if (!optional || !next.empty()) all.push_back(std::move(next));
  }
  return all;
}

// Replaces ${NAME} by its value, and ${NAME:-text} by the text if NAME has no value.
std::string TranscriptParser::substituted(const Cursor& cursor, std::size_t begin,
                                          std::string_view text) const {
  std::string out;
  while (true) {
    const std::size_t dollar = text.find("${");
    out += text.substr(0, dollar);
    if (dollar == text.npos) return out;
    const std::size_t close = text.find('}', dollar);
    if (close == text.npos) cursor.fail_at(begin, "\"${\" without \"}\"");
    std::string name(text.substr(dollar + 2, close - dollar - 2));
    const std::size_t otherwise = name.find(":-");
    auto value = variables_(name.substr(0, otherwise));
    if (!value && otherwise != name.npos) value = name.substr(otherwise + 2);
    if (!value) cursor.fail_at(begin, "${" + name + "} is not set");
    out += *value;
    text.remove_prefix(close + 1);
  }
}

}  // namespace

Transcript parse_transcript(std::string text, const Variables& variables) {
  Transcript transcript;
  transcript.text = std::move(text);
  TranscriptParser(transcript, variables).parse();
  return transcript;
}

}  // namespace tine::command
