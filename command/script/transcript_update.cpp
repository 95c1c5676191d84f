#include "command/script/transcript_update.hpp"

#include <string_view>

namespace tine::command {

namespace {

// Removes that many lines, with their line feeds, from the front of `text` and returns them.
std::string_view take_lines(std::string_view& text, std::size_t count) {
  std::size_t end = 0;
  for (; count > 0 && end < text.size(); --count) {
    const auto feed = text.find('\n', end);
    end = feed == text.npos ? text.size() : feed + 1;
  }
  const std::string_view lines = text.substr(0, end);
  text.remove_prefix(end);
  return lines;
}

// Returns the byte order mark of a text, which is not part of the first step's line.
std::string byte_order_mark(std::string_view text) {
  constexpr std::string_view mark = "\xef\xbb\xbf";
  return std::string(text.starts_with(mark) ? mark : "");
}

}  // namespace

std::string TranscriptUpdate::applied(const Transcript& transcript) const {
  std::string_view rest = transcript.text;
  std::string out = byte_order_mark(rest);
  rest.remove_prefix(out.size());
  std::size_t line = 1;
  for (const auto& [index, edit] : edits_) {
    const Step& step = transcript.steps[index];
    out += take_lines(rest, step.line - line);
    line = step.line + step.lines;
    const std::string_view old = take_lines(rest, step.lines);
    out += edit.before;
    if (edit.removed) continue;
    const bool carriage_return = old.ends_with("\r\n") && !edit.text.ends_with('\r');
    out += edit.text.empty() ? std::string(old) : edit.text + (carriage_return ? "\r\n" : "\n");
  }
  return out += rest;
}

}  // namespace tine::command
