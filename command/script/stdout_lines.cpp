#include "command/script/stdout_lines.hpp"

#include <utility>

namespace tine::command {

void StdoutLines::add(std::string_view bytes) {
  splitter_.add(bytes);
  split();
}

void StdoutLines::end() {
  splitter_.end();
  split();
  ended_ = true;
}

void StdoutLines::split() {
  while (const auto line = splitter_.next()) {
    if (lines_.size() == most) lines_.pop_front();
    lines_.emplace_back(*line);
  }
}

std::string StdoutLines::take() {
  std::string first = std::move(lines_.front());
  lines_.pop_front();
  return first;
}

}  // namespace tine::command
