#include "command/script/transcript_update.hpp"

#include <algorithm>
#include <string_view>

namespace tine::command {

namespace {

bool is_joined(const Transcript& transcript, std::size_t step) {
  return step < transcript.steps.size() && transcript.steps[step].joined;
}

}  // namespace

std::string TranscriptUpdate::applied(const Transcript& transcript) const {
  const std::string_view text = transcript.text;
  std::string out;
  std::size_t at = 0;  // what is before it has been copied
  std::size_t next = 0;
  for (std::size_t first = 0; first < transcript.steps.size(); first = next) {
    for (next = first + 1; is_joined(transcript, next);) ++next;
    const auto begin = edits_.lower_bound(first);
    const auto end = edits_.lower_bound(next);
    if (begin == end) continue;
    out += text.substr(at, transcript.steps[first].begin - at);
    at = transcript.steps[next - 1].end;
    const auto splits = [](const auto& edit) { return edit.second.splits(); };
    if (std::any_of(begin, end, splits)) {
      out += in_lines(transcript, first, next);
      if (at < text.size()) ++at;
    } else {
      out += in_place(transcript, first, next);
    }
  }
  out += text.substr(at);
  return out;
}

// Returns a statement, which is the steps from `first` to before `next`, with new texts of its steps.
std::string TranscriptUpdate::in_place(const Transcript& transcript, std::size_t first,
                                       std::size_t next) const {
  const std::string_view text = transcript.text;
  std::string out;
  for (std::size_t i = first; i < next; ++i) {
    const Step& step = transcript.steps[i];
    if (i > first) {
      const std::size_t before = transcript.steps[i - 1].end;
      out += text.substr(before, step.begin - before);
    }
    const std::string_view old = text.substr(step.begin, step.end - step.begin);
    const auto edit = edits_.find(i);
    if (edit == edits_.end()) {
      out += old;
    } else {
      out += edit->second.text;
      if (old.ends_with('\r') && !out.ends_with('\r')) out += '\r';
    }
  }
  return out;
}

// Returns a statement with its steps on lines of their own, so that there is room between them.
std::string TranscriptUpdate::in_lines(const Transcript& transcript, std::size_t first,
                                       std::size_t next) const {
  std::string_view text = transcript.text;
  const bool carriage_return = text.substr(0, transcript.steps[next - 1].end).ends_with('\r');
  std::string out;
  for (std::size_t i = first; i < next; ++i) {
    const Step& step = transcript.steps[i];
    const auto found = edits_.find(i);
    const Edit edit = found == edits_.end() ? Edit() : found->second;
    out += edit.before;
    if (edit.removed) continue;
    if (step.joined && !step.child.empty()) out += step.child + ": ";
    out += edit.text.empty() ? text.substr(step.begin, step.end - step.begin) : edit.text;
    if (carriage_return && !out.ends_with('\r')) out += '\r';
    out += '\n';
  }
  return out;
}

}  // namespace tine::command
