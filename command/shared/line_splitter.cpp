#include "command/shared/line_splitter.hpp"

#include <algorithm>

namespace tine::command {

void LineSplitter::add(std::string_view bytes) {
  bytes_.erase(0, begin_);
  searched_ -= begin_;
  begin_ = 0;
  bytes_.append(bytes);
}

void LineSplitter::end() {
  if (pending() > 0 && bytes_.back() != '\n') bytes_ += '\n';
}

std::optional<std::string_view> LineSplitter::next() {
  const std::size_t feed = bytes_.find('\n', searched_);
  if (feed == std::string::npos) {
    searched_ = bytes_.size();
    return std::nullopt;
  }
  std::string_view line = std::string_view(bytes_).substr(begin_, feed - begin_);
  begin_ = searched_ = feed + 1;
  ++number_;
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::size_t column_of(std::string_view line, std::size_t offset) {
  const auto starts_character = [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  };
  const std::string_view before = line.substr(0, offset);
  return 1 +
         static_cast<std::size_t>(std::count_if(before.begin(), before.end(), starts_character));
}

}  // namespace tine::command
