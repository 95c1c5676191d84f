#include "net/write_queue.hpp"

#include <utility>

namespace tine::net {

namespace {

// The capacity that a buffer may keep while it is empty.
constexpr std::size_t most_kept = std::size_t{256} << 10;

}  // namespace

void WriteQueue::add(std::string_view bytes, SendCallback& written) {
  if (bytes.empty() && !written) return;  // nothing to write, nobody to call
  const std::size_t before = filling_.size();
  filling_.append(bytes);
  const std::uint64_t end = written_ + queued();
  if (!written) {
    without_callback_ = end;
    return;
  }
  try {
    waiting_.push_back({end, std::move(written)});
  } catch (...) {
    filling_.resize(before);
    throw;
  }
}

std::string_view WriteQueue::front() noexcept {
  if (writing_.empty()) std::swap(filling_, writing_);
  return std::string_view(writing_).substr(front_);
}

void WriteQueue::written(std::size_t n) noexcept {
  front_ += n;
  written_ += n;
  if (front_ == writing_.size()) all_written();
  while (due_ < waiting_.size() && waiting_[due_].end <= written_) ++due_;
}

void WriteQueue::all_written() noexcept {
  writing_.clear();
  front_ = 0;
  if (writing_.capacity() > most_kept) std::string().swap(writing_);
}

bool WriteQueue::cancel(std::error_code why) noexcept {
  due_ = waiting_.size();
  cancelled_because_ = why;
  std::string().swap(filling_);
  std::string().swap(writing_);
  front_ = 0;
  return without_callback_ > written_;
}

void WriteQueue::drop_callbacks() noexcept {
  waiting_.clear();
  due_ = 0;
}

void WriteQueue::call_first_due() {
  const Waiting first = std::move(waiting_.front());
  waiting_.pop_front();
  --due_;
  first.written(first.end <= written_ ? std::error_code() : cancelled_because_);
}

}  // namespace tine::net
