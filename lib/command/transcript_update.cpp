#include "command/transcript_update.hpp"

#include <string_view>

namespace tine::command {

namespace {

// Up to behind the line feed of that many lines.
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

}  // namespace

std::string TranscriptUpdate::applied(const Transcript& transcript) const {
  std::string out;
  std::string_view rest = transcript.text;
  std::size_t line = 1;
  for (const auto& [index, edit] : edits_) {
    const Step& step = transcript.steps[index];
    out += take_lines(rest, step.line - line);
    line = step.line + step.lines;
    const std::string_view old = take_lines(rest, step.lines);
    out += edit.before;
    if (edit.removed) continue;
    out += edit.text.empty() ? std::string(old) : edit.text + "\n";
  }
  return out += rest;
}

}  // namespace tine::command
