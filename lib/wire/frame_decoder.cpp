#include "wire/frame_decoder.hpp"

#include <algorithm>
#include <utility>

namespace tine::wire {

FrameDecoder::FrameDecoder(const Framing& framing, std::size_t max_content)
    : framing_(framing), max_content_(max_content) {}

std::span<char> FrameDecoder::room(std::size_t wanted) {
  wanted = std::max(wanted, std::size_t{1});
  if (pending() == 0) {
    bytes_.truncate(0);
    begin_ = 0;
    if (need_.outgrown(std::exchange(most_pending_, 0), bytes_.capacity())) bytes_.release();
  }
  if (bytes_.capacity() - bytes_.size() < wanted) make_space(wanted);
  char* const start = bytes_.room(wanted);
  return {start, bytes_.capacity() - bytes_.size()};
}

// Moves the pending bytes to the front of the buffer if they are much less than the buffer;
// otherwise room() grows it. So each byte is moved a bounded number of times, however long its
// frame becomes.
void FrameDecoder::make_space(std::size_t wanted) {
  if (begin_ < pending() + wanted) return;  // too much to move: room() will grow the buffer
  bytes_.erase_front(begin_);
  begin_ = 0;
}

void FrameDecoder::advance(std::size_t n) {
  bytes_.advance(n);
  most_pending_ = std::max(most_pending_, pending());
}

void FrameDecoder::find_next() {
  if (overflown_ || searched_ == pending()) return;
  next_ = framing_.first(bytes_.view().substr(begin_), searched_);
  searched_ = pending();
  foreign_ = next_.foreign;
  overflown_ = foreign_ || next_.content > max_content_;
  if (overflown_) next_ = {};
}

std::optional<std::string_view> FrameDecoder::next() {
  if (!has_frame()) return std::nullopt;
  const std::string_view content = bytes_.view().substr(begin_ + next_.begin, next_.content);
  begin_ += last_size_ = next_.size;
  next_.size = 0;
  searched_ = 0;
  return content;
}

std::string_view FrameDecoder::ahead(std::size_t most) {
  if (!has_frame()) return {};
  const std::string_view pending = bytes_.view().substr(begin_, most);
  const std::size_t complete = framing_.size_of_complete(pending);
  return complete <= next_.size ? std::string_view() : pending.substr(0, complete);
}

std::size_t FrameDecoder::unfinished() const {
  return pending() - framing_.size_of_complete(bytes_.view().substr(begin_));
}

void FrameDecoder::put_back() {
  begin_ -= last_size_;
  next_.size = 0;
  searched_ = 0;
  overflown_ = foreign_ = false;  // found again after this frame
}

void FrameDecoder::release_if_empty() {
  if (pending() > 0 || bytes_.capacity() == 0) return;
  bytes_.release();
  begin_ = most_pending_ = 0;
}

}  // namespace tine::wire
