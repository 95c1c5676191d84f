#include "pool/output_tail.hpp"

namespace tine::pool {

namespace {

// The first line is not whole if something before it was dropped.
std::string_view without_first_line(std::string_view text) {
  const std::size_t feed = text.find('\n');
  return feed == text.npos ? text : text.substr(feed + 1);
}

}  // namespace

// Cuts only now and then, because that moves all that is kept.
void OutputTail::add(std::string_view bytes) {
  if (bytes.size() > most_bytes) {
    bytes.remove_prefix(bytes.size() - most_bytes);
    kept_.clear();
    cut_ = true;
  }
  kept_.append(bytes);
  if (kept_.size() <= 2 * most_bytes) return;
  kept_.erase(0, kept_.size() - most_bytes);
  cut_ = true;
}

std::string_view OutputTail::lines() const {
  std::string_view text = kept_;
  while (text.ends_with('\n')) text.remove_suffix(1);
  bool cut = cut_;
  if (text.size() > most_bytes) {
    text.remove_prefix(text.size() - most_bytes);
    cut = true;
  }
  std::size_t begin = text.size();
  for (std::size_t lines = 0; lines < most_lines; ++lines) {
    const std::size_t feed = begin == 0 ? text.npos : text.rfind('\n', begin - 1);
    if (feed == text.npos) return cut ? without_first_line(text) : text;
    begin = feed;
  }
  return text.substr(begin + 1);
}

}  // namespace tine::pool
