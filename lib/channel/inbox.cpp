#include "channel/inbox.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <new>
#include <utility>

namespace tine::channel {

namespace {

// Calls `act`, which handles the last frame of `from`. If it throws (memory may have run out), the
// frame is put back for the next time.
template <class F>
auto with_frame_of(wire::FrameDecoder& from, F&& act) {
  try {
    return act();
  } catch (...) {
    from.put_back();
    throw;
  }
}

}  // namespace

Inbox::Inbox(wire::Codec& codec, const ChannelOptions& options)
    : codec_(codec),
      content_is_text_(codec.content_is_text()),
      decoder_(codec.framing(), options.max_line),
      stored_(codec.framing(), std::numeric_limits<std::size_t>::max()),  // bounded by what is read
      stored_limit_(options.stored_limit),
      descriptor_limit_(options.descriptor_limit) {}

// The bytes that the codec may have read ahead can move now.
std::span<char> Inbox::room() {
  codec_.stop_reading_ahead();
  return decoder_.room();
}

void Inbox::advance(std::size_t n) {
  decoder_.advance(n);
  came_in_ += n;
  more_came_in_ = true;
  for (auto last = beside_.rbegin(); last != beside_.rend() && last->end == 0; ++last) {
    last->end = came_in_;
  }
}

bool Inbox::take(std::span<base::Descriptor> came) noexcept {
  if (beside_.size() + came.size() > descriptor_limit_) return false;
  try {
    for (base::Descriptor& descriptor : came) beside_.push_back({std::move(descriptor), 0});
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

// Messages that are no text are read for listeners that take text.
Inbox::Item Inbox::next_text(bool parse) {
  Item item = next_as(Wanted::value, parse);
  if (item.kind == Kind::message) {
    with_frame_of(item.stored ? stored_ : decoder_,
                  [&] { item.text = codec_.text(item.content, &value_); });
  }
  return item;
}

Inbox::Item Inbox::next_as(Wanted wanted, bool parse) {
  const bool values = wanted == Wanted::value || parse;
  if (values && std::exchange(more_came_in_, false)) codec_.read_ahead(decoder_);
  if (wanted != Wanted::nothing) {
    if (const auto content = stored_.next()) {
      Item item = wanted == Wanted::value
                      ? read(stored_, *content)
                      : with_frame_of(stored_, [&] { return look_for_internal(*content); });
      if (item.kind == Kind::nothing) item = item_of(*content);
      item.stored = true;
      return item;
    }
    stored_.release_if_empty();
  }
  while (const auto content = decoder_.next()) {
    if (values) return read(decoder_, *content);
    Item item = with_frame_of(decoder_, [&] {
      Item internal = look_for_internal(*content);
      if (wanted == Wanted::nothing && internal.kind == Kind::nothing) keep_last();
      return internal;
    });
    if (item.kind == Kind::internal) return item;
    if (wanted == Wanted::text) return item_of(*content);
  }
  if (decoder_.overflown() && !std::exchange(overflow_told_, true)) return {.kind = Kind::overflow};
  return {};
}

Inbox::Item Inbox::item_of(std::string_view content, std::string_view command) const {
  return {.kind = command.empty() ? Kind::message : Kind::internal,
          .content = content,
          .text = content_is_text_ ? content : std::string_view(),
          .command = command};
}

Inbox::Item Inbox::read(wire::FrameDecoder& from, std::string_view content) {
  wire::Codec::Read read = with_frame_of(from, [&] { return codec_.read(content, value_); });
  if (read.bad) return read_bad_frames(from, std::move(*read.bad));
  return item_of(content, read.command);
}

// Reads up to the next good frame, which is put back: handling the bad ones may take long, throw,
// or change what is wanted.
Inbox::Item Inbox::read_bad_frames(wire::FrameDecoder& from, wire::BadMessage first) {
  using Clock = std::chrono::steady_clock;
  constexpr auto long_enough = std::chrono::milliseconds(1);
  // A look at the clock costs as much as some short frames, so it waits for this many bytes.
  constexpr std::size_t between_looks = 4096;
  constexpr std::size_t cost_of_a_frame = 64;
  const auto start = Clock::now();
  std::size_t since_look = 0;
  Item item{.kind = Kind::bad, .bad = std::move(first), .bad_frames = 1};
  while (const auto content = from.next()) {
    if (!codec_.read(*content, value_).bad) {
      from.put_back();
      break;
    }
    ++item.bad_frames;
    since_look += content->size() + cost_of_a_frame;
    if (since_look < between_looks) continue;
    since_look = 0;
    item.gave_way = Clock::now() - start > long_enough;
    if (item.gave_way) break;
  }
  return item;
}

// Looks for an internal message in a frame that need not be read otherwise. A bad one is reported
// later, when its value is read, or left to the listener that takes its text.
Inbox::Item Inbox::look_for_internal(std::string_view content) {
  if (!codec_.may_be_internal(content)) return {};
  const wire::Codec::Read read = codec_.read(content, value_);
  return read.command.empty() ? Item() : item_of(content, read.command);
}

std::string_view Inbox::text(const Item& item) noexcept try {
  const bool at_hand = content_is_text_ || !item.text.empty() || item.content.empty();
  return at_hand ? item.text : codec_.text(item.content, &value_);
} catch (const std::bad_alloc&) {
  return {};
}

void Inbox::store_last() {
  with_frame_of(decoder_, [&] { keep_last(); });
}

void Inbox::keep_last() {
  const std::string_view frame = decoder_.last();
  std::copy(frame.begin(), frame.end(), stored_.room(frame.size()).begin());
  stored_.advance(frame.size());
}

std::vector<base::Descriptor> Inbox::descriptors_of(const Item& item, std::size_t count) {
  std::vector<base::Descriptor> descriptors;
  if (item.stored) {
    descriptors = std::move(stored_beside_.front());
    stored_beside_.pop_front();
    return descriptors;
  }
  const std::uint64_t frame_begin = delivered() - decoder_.last().size();
  while (!beside_.empty() && beside_.front().end <= frame_begin) beside_.pop_front();
  if (beside_.size() < count) return descriptors;
  descriptors.reserve(count);
  for (; descriptors.size() < count; beside_.pop_front()) {
    descriptors.push_back(std::move(beside_.front().descriptor));
  }
  return descriptors;
}

void Inbox::store_last(std::vector<base::Descriptor>& beside) {
  auto& place = stored_beside_.emplace_back();
  try {
    keep_last();
  } catch (...) {
    stored_beside_.pop_back();
    throw;
  }
  place = std::move(beside);
}

void Inbox::close_stray() {
  while (!beside_.empty() && beside_.front().end <= delivered()) beside_.pop_front();
}

bool Inbox::full() const {
  return stored() >= stored_limit_ ||
         (!stored_beside_.empty() && stored_beside_.size() >= descriptor_limit_);
}

void Inbox::drop_stored() {
  stored_beside_.clear();
  while (stored_.next()) {
  }
  stored_.release_if_empty();
}

}  // namespace tine::channel
