#include "channel/inbox.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include "wire/internal_message.hpp"

namespace tine::channel {

namespace {

// How many bytes are parsed together: more would not stay in the processor's cache.
constexpr std::size_t most_ahead = std::size_t{64} << 10;

// Calls `act`, which handles a line of `from`. If it throws (memory may have run out), the line is
// put back for the next time.
template <class F>
auto with_line_of(wire::FrameDecoder& from, F&& act) {
  try {
    return act();
  } catch (...) {
    from.put_back();
    throw;
  }
}

}  // namespace

Inbox::Inbox(const ChannelOptions& options)
    : decoder_(framing_, options.max_line),
      stored_(framing_, std::numeric_limits<std::size_t>::max()),  // bounded by what is read
      stored_limit_(options.stored_limit),
      descriptor_limit_(options.descriptor_limit),
      reader_(options.max_depth) {}

// The bytes that the parser expects may move now, so the expectation is cancelled.
std::span<char> Inbox::room() {
  reader_.expect({});
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

Inbox::Item Inbox::next(Wanted wanted, bool parse) {
  const bool values = wanted == Wanted::value || parse;
  if (values && std::exchange(more_came_in_, false)) {
    reader_.expect(decoder_.ahead(most_ahead));
  }
  if (wanted != Wanted::nothing) {
    if (const auto line = stored_.next()) {
      Item item = wanted == Wanted::value
                      ? read(stored_, *line)
                      : with_line_of(stored_, [&] { return look_for_internal(*line); });
      if (item.kind == Kind::nothing) item = {.kind = Kind::message, .text = *line};
      item.stored = true;
      return item;
    }
    stored_.release_if_empty();
  }
  while (const auto line = decoder_.next()) {
    if (values) return read(decoder_, *line);
    Item item = with_line_of(decoder_, [&] {
      Item internal = look_for_internal(*line);
      if (wanted == Wanted::nothing && internal.kind == Kind::nothing) keep_last();
      return internal;
    });
    if (item.kind == Kind::internal) return item;
    if (wanted == Wanted::text) return {.kind = Kind::message, .text = *line};
  }
  if (decoder_.overflown() && !std::exchange(overflow_told_, true)) return {.kind = Kind::overflow};
  return {};
}

Inbox::Item Inbox::read(wire::FrameDecoder& from, std::string_view line) {
  auto bad = with_line_of(from, [&] { return reader_.read(wire::without_bun_mark(line), value_); });
  if (bad) return read_bad_lines(from, std::move(*bad));
  if (wire::may_be_internal(line)) {
    const std::string_view command = command_in(line);
    if (!command.empty()) return {.kind = Kind::internal, .text = line, .command = command};
  }
  return {.kind = Kind::message, .text = line};
}

// Reads up to the next good line, which is put back: handling the bad ones may take long, throw, or
// change what is wanted.
Inbox::Item Inbox::read_bad_lines(wire::FrameDecoder& from, wire::BadMessage first) {
  using Clock = std::chrono::steady_clock;
  constexpr auto long_enough = std::chrono::milliseconds(1);
  // A look at the clock costs as much as some short lines, so it waits for this many bytes.
  constexpr std::size_t between_looks = 4096;
  constexpr std::size_t cost_of_a_line = 64;
  const auto start = Clock::now();
  std::size_t since_look = 0;
  Item item{.kind = Kind::bad, .bad = std::move(first), .bad_lines = 1};
  while (const auto line = from.next()) {
    if (!reader_.read(wire::without_bun_mark(*line), value_)) {
      from.put_back();
      break;
    }
    ++item.bad_lines;
    since_look += line->size() + cost_of_a_line;
    if (since_look < between_looks) continue;
    since_look = 0;
    item.gave_way = Clock::now() - start > long_enough;
    if (item.gave_way) break;
  }
  return item;
}

// Looks for an internal message in a line that need not be parsed otherwise. A bad line is reported
// later, when its value is read, or left to the listener that takes its text.
Inbox::Item Inbox::look_for_internal(std::string_view line) {
  if (!wire::may_be_internal(line) || reader_.read(wire::without_bun_mark(line), value_)) return {};
  const std::string_view command = command_in(line);
  if (command.empty()) return {};
  return {.kind = Kind::internal, .text = line, .command = command};
}

// Returns the command of a line that was just read. A line with Bun's mark belongs to its cluster,
// even if it has no command.
std::string_view Inbox::command_in(std::string_view line) {
  const std::string_view command = wire::internal_command(value_);
  if (!command.empty() || !line.starts_with(wire::bun_mark)) return command;
  if (value_.is_object()) value_["cmd"] = wire::cluster_command;
  return wire::cluster_command;
}

void Inbox::store_last() {
  with_line_of(decoder_, [&] { keep_last(); });
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
  const std::uint64_t line_begin = delivered() - decoder_.last().size();
  while (!beside_.empty() && beside_.front().end <= line_begin) beside_.pop_front();
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
