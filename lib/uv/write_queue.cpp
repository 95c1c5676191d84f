#include "uv/write_queue.hpp"

#include <algorithm>
#include <utility>

namespace tine::uv {

void WriteQueue::add(std::string_view bytes, SendCallback& written) {
  if (bytes.empty() && !written) return;  // nothing to write, nobody to call
  base::Appending appending(filling_);
  filling_.append(bytes);
  if (written) {
    add_record(end(), written);
  } else {
    without_callback_ = end();
  }
  appending.keep();
  count(0);  // a callback without unwritten bytes before it is due at once
}

void WriteQueue::add_record(std::uint64_t end, SendCallback& written) {
  records_.push_back({end});
  records_.back().written = std::move(written);
}

void WriteQueue::trim_filling() noexcept {
  if (filling_.size() == 0) give_back(filling_, filling_need_, 0);
}

std::string_view WriteQueue::front() noexcept {
  if (writing_.size() == 0) {
    std::swap(filling_, writing_);
    std::swap(filling_need_, writing_need_);
  }
  return writing_.view().substr(front_);
}

void WriteQueue::written(std::size_t n) noexcept {
  front_ += n;
  if (n > 0 && front_ == writing_.size()) {
    writing_.truncate(0);
    give_back(writing_, writing_need_, std::exchange(front_, 0));
  }
  count(n);
}

void WriteQueue::written_elsewhere(std::size_t n) noexcept {
  elsewhere_ -= n;
  count(n);
}

void WriteQueue::count(std::size_t n) noexcept {
  written_ += n;
  while (due_ < records_.size() && records_[due_].end <= written_) ++due_;
}

// Frees an empty buffer if much less of it was needed lately, or if it is too large.
void WriteQueue::give_back(base::ByteBuffer& buffer, base::RecentNeed& need,
                           std::size_t needed) noexcept {
  if (need.outgrown(needed, buffer.capacity()) || buffer.capacity() > most_kept_) buffer.release();
}

bool WriteQueue::fail(std::uint64_t end, std::error_code why) noexcept {
  const auto record = std::find_if(records_.begin(), records_.end(),
                                   [end](const Record& one) { return one.end == end; });
  if (record == records_.end()) return false;
  record->failed = why;
  return true;
}

WriteQueue::Cancelled WriteQueue::cancel(std::error_code why) noexcept {
  Cancelled cancelled;
  for (; due_ < records_.size(); ++due_) {
    ++(records_[due_].written ? cancelled.callbacks : cancelled.without_callback);
  }
  cancelled_because_ = why;
  filling_.release();
  writing_.release();
  front_ = 0;
  elsewhere_ = 0;
  return cancelled;
}

void WriteQueue::drop_callbacks() noexcept {
  records_.clear();
  due_ = 0;
}

void WriteQueue::call_first_due() {
  const Record first = std::move(records_.front());
  records_.pop_front();
  --due_;
  if (first.written) first.written(first.end <= written_ ? first.failed : cancelled_because_);
}

}  // namespace tine::uv
