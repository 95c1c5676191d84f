// Reads a transcript, writes it and reads it again. The input has no settings.
#include "command/script/transcript.hpp"

#include <algorithm>
#include <optional>
#include <string>

#include "command/script/transcript_update.hpp"
#include "fuzz/fuzz.hpp"

using namespace tine::command;

namespace {

std::optional<Transcript> read(const std::string& text) {
  const auto lines = 1 + static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  const auto variable = [](const std::string& name) {
    return name.size() < 8 ? std::optional<std::string>(name) : std::nullopt;
  };
  try {
    return parse_transcript(text, variable);
  } catch (const TranscriptError& error) {
    must(error.position.line >= 1 && error.position.line <= lines, "an error is within the lines");
    must(error.position.column >= 1 && error.position.column <= text.size() + 1,
         "an error is within its line");
    must(error.what()[0] != '\0', "an error has a text");
    return std::nullopt;
  }
}

bool is_pattern(const Step& step) {
  using Kind = Step::Kind;
  switch (step.kind) {
    case Kind::send:
    case Kind::receive:
    case Kind::receive_any_order:
    case Kind::expect_progress:
    case Kind::expect_result:
    case Kind::expect_error: return true;
    case Kind::call: return step.pattern.kind != Pattern::Kind::any;  // it has params
    default: return false;
  }
}

// Checks that a pattern that is written on several lines is read as the same pattern.
void check_pattern(const Pattern& pattern) {
  std::string written = print_pattern(pattern, nullptr, {});
  if (written.find('$') != written.npos) return;  // captured values concern other steps too
  std::string text = "fork x\n< ";
  for (const char c : written) text += c == '\n' ? std::string("\n ") : std::string(1, c);
  const auto again = read(text);
  must(again && again->steps.size() == 2, "a pattern that is written can be read");
  must(print_pattern(again->steps[1].pattern, nullptr, {}) == written,
       "a pattern that is written is the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto transcript = read(text);
  if (!transcript) return 0;

  std::size_t end = 0;
  TranscriptUpdate same;
  TranscriptUpdate apart;
  for (std::size_t i = 0; i < transcript->steps.size(); ++i) {
    const Step& step = transcript->steps[i];
    must(step.begin >= end && step.end > step.begin, "steps follow each other");
    must(step.end <= text.size(), "a step is in the text");
    end = step.end;
    must(text.find(step.source) != text.npos, "the source of a step is in the text");
    same.replace(i, text.substr(step.begin, step.end - step.begin));
    apart.insert_before(i, "# apart");
    if (is_pattern(step)) check_pattern(step.pattern);
    if (step.kind != Step::Kind::send || step.source.find('$') != std::string::npos) continue;
    must(matches(step.pattern, instance(step.pattern, {}), {}), "a pattern fits its own instance");
  }
  must(TranscriptUpdate().applied(*transcript) == text, "no update changes nothing");
  const std::string updated = same.applied(*transcript);
  must(updated == text, "an update to the same changes nothing");
  const auto again = read(apart.applied(*transcript));
  must(again && again->steps.size() == transcript->steps.size(),
       "steps that are put on lines of their own can be read");
  return 0;
}
