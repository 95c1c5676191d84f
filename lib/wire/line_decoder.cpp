#include "wire/line_decoder.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace tine::wire {

LineDecoder::LineDecoder(std::size_t max_line) : max_line_(max_line) {}

std::span<char> LineDecoder::room(std::size_t wanted) {
  wanted = std::max(wanted, std::size_t{1});
  if (pending() == 0) {
    bytes_.truncate(0);
    begin_ = scanned_ = 0;
    if (need_.outgrown(std::exchange(most_pending_, 0), bytes_.capacity())) bytes_.release();
  }
  if (bytes_.capacity() - bytes_.size() < wanted) make_space(wanted);
  char* const start = bytes_.room(wanted);
  return {start, bytes_.capacity() - bytes_.size()};
}

// Moves the pending bytes to the front of the buffer if they are much less than the buffer;
// otherwise room() grows it. So each byte is moved a bounded number of times, however long its line
// becomes.
void LineDecoder::make_space(std::size_t wanted) {
  if (begin_ < pending() + wanted) return;  // too much to move: room() will grow the buffer
  bytes_.erase_front(begin_);
  scanned_ -= begin_;
  if (line_end_) *line_end_ -= begin_;
  begin_ = 0;
}

void LineDecoder::advance(std::size_t n) {
  bytes_.advance(n);
  most_pending_ = std::max(most_pending_, pending());
}

void LineDecoder::find_line_end() {
  if (line_end_ || overflown_) return;
  const std::string_view bytes = bytes_.view();
  if (scanned_ < bytes.size()) {
    const void* const found = std::memchr(bytes.data() + scanned_, '\n', bytes.size() - scanned_);
    if (found != nullptr) {
      line_end_ = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
    }
    scanned_ = line_end_.value_or(bytes.size());
  }
  overflown_ = scanned_ - begin_ > max_line_;
  if (overflown_) line_end_.reset();
}

bool LineDecoder::has_line() {
  find_line_end();
  return line_end_.has_value();
}

std::optional<std::string_view> LineDecoder::next() {
  if (!has_line()) return std::nullopt;
  const std::string_view line = bytes_.view().substr(begin_, *line_end_ - begin_);
  last_begin_ = begin_;
  begin_ = scanned_ = *line_end_ + 1;
  line_end_.reset();
  return line;
}

std::string_view LineDecoder::ahead(std::size_t most) {
  if (!has_line()) return {};
  const std::string_view pending = bytes_.view().substr(begin_, most);
  const std::size_t first = *line_end_ - begin_;
  const std::size_t last = pending.rfind('\n');
  return last == pending.npos || last == first ? std::string_view() : pending.substr(0, last + 1);
}

std::size_t LineDecoder::unfinished() const {
  const std::string_view pending = bytes_.view().substr(begin_);
  return pending.size() - (pending.rfind('\n') + 1);  // npos + 1 is 0
}

void LineDecoder::put_back() {
  line_end_ = scanned_ = begin_ - 1;
  begin_ = last_begin_;
}

void LineDecoder::release_if_empty() {
  if (pending() > 0 || bytes_.capacity() == 0) return;
  bytes_.release();
  begin_ = scanned_ = most_pending_ = 0;
}

}  // namespace tine::wire
