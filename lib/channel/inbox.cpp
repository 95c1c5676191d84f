#include "channel/inbox.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <limits>
#include <utility>

#include "wire/internal_message.hpp"

namespace tine::channel {

namespace {

// Puts a line back, for the next time, if what is done about it throws: memory may have run out.
class Taken {
 public:
  explicit Taken(wire::LineDecoder& from) : from_(from), exceptions_(std::uncaught_exceptions()) {}
  Taken(const Taken&) = delete;
  Taken& operator=(const Taken&) = delete;
  ~Taken() {
    if (std::uncaught_exceptions() > exceptions_) from_.put_back();
  }

 private:
  wire::LineDecoder& from_;
  int exceptions_;
};

}  // namespace

Inbox::Inbox(const ChannelOptions& options)
    : decoder_(options.max_line),
      stored_(std::numeric_limits<std::size_t>::max()),  // bounded by what is read
      reader_(options.max_depth) {}

Inbox::Item Inbox::next(Wanted wanted) {
  if (wanted != Wanted::nothing) {
    if (const auto line = stored_.next()) {
      if (wanted == Wanted::value) return read(stored_, *line);
      return {.kind = Kind::message, .text = *line};
    }
    stored_.release_if_empty();
  }
  while (const auto line = decoder_.next()) {
    if (wanted == Wanted::value) return read(decoder_, *line);
    const Taken taken(decoder_);
    if (Item item = look_for_internal(*line); item.kind == Kind::internal) return item;
    if (wanted == Wanted::text) return {.kind = Kind::message, .text = *line};
    store(*line);
  }
  if (decoder_.overflown() && !std::exchange(overflow_told_, true)) return {.kind = Kind::overflow};
  return {};
}

Inbox::Item Inbox::read(wire::LineDecoder& from, std::string_view line) {
  std::optional<wire::BadJson> bad;
  {
    const Taken taken(from);
    bad = reader_.read(line, value_);
  }
  if (bad) return read_bad_lines(from, std::move(*bad));
  const std::string_view command = wire::internal_command(value_);
  if (!command.empty()) return {.kind = Kind::internal, .command = command};
  return {.kind = Kind::message, .text = line};
}

// Reads up to the next good line, which is put back: what is done about the bad ones may take long,
// or throw, or change what is wanted.
Inbox::Item Inbox::read_bad_lines(wire::LineDecoder& from, wire::BadJson first) {
  using Clock = std::chrono::steady_clock;
  constexpr auto long_enough = std::chrono::milliseconds(1);
  constexpr std::size_t lines_between_looks = 64;
  const auto start = Clock::now();
  Item item{.kind = Kind::bad, .bad = std::move(first), .bad_lines = 1};
  while (const auto line = from.next()) {
    if (!reader_.read(*line, value_)) {
      from.put_back();
      break;
    }
    ++item.bad_lines;
    item.gave_way = item.bad_lines % lines_between_looks == 0 && Clock::now() - start > long_enough;
    if (item.gave_way) break;
  }
  return item;
}

// Of a line that is not to be parsed. One that is bad is told when it is read, or is its
// listener's.
Inbox::Item Inbox::look_for_internal(std::string_view line) {
  if (!wire::may_be_internal(line) || reader_.read(line, value_)) return {};
  const std::string_view command = wire::internal_command(value_);
  return command.empty() ? Item{} : Item{.kind = Kind::internal, .command = command};
}

void Inbox::store(std::string_view line) {
  const std::span<char> room = stored_.room(line.size() + 1);
  *std::copy(line.begin(), line.end(), room.begin()) = '\n';
  stored_.advance(line.size() + 1);
}

}  // namespace tine::channel
