#include "net/write_side.hpp"

#include "tine/send_callback.hpp"

namespace tine::net {

namespace {

// From this many queued bytes on, write() returns false. "drain" comes at half of it, so that the
// kernel has bytes to take while the next ones are made.
constexpr std::size_t high_mark = std::size_t{64} << 10;
constexpr std::size_t low_mark = high_mark / 2;

constexpr std::size_t most_at_once = std::size_t{1} << 20;

// The capacity that an empty buffer may keep.
constexpr std::size_t most_kept = std::size_t{256} << 10;

}  // namespace

WriteSide::WriteSide() : queue_(most_kept) {}

std::string_view WriteSide::front() noexcept { return queue_.front().substr(0, most_at_once); }

bool WriteSide::takes_more() noexcept {
  if (!is_open()) return false;
  const bool full = queue_.queued() >= high_mark;
  drain_wanted_ = drain_wanted_ || full;
  return !full;
}

bool WriteSide::drained() noexcept {
  if (!drain_wanted_ || !is_open() || queue_.queued() > low_mark) return false;
  drain_wanted_ = false;
  return true;
}

void WriteSide::end(std::string_view last, Ender ender) {
  SendCallback none;
  queue_.add(last, none);
  state_ = State::ending;
  ended_by_user_ = ender == Ender::user;
}

void WriteSide::destroy(std::error_code why) noexcept {
  if (is_pending()) queue_.cancel(why);
  state_ = State::destroyed;
}

Errc WriteSide::refusal() const {
  return state_ == State::destroyed ? Errc::stream_destroyed : Errc::write_after_end;
}

}  // namespace tine::net
