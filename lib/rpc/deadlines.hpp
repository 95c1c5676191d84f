#pragma once

#include <chrono>
#include <optional>
#include <set>
#include <utility>

namespace tine::rpc {

using Clock = std::chrono::steady_clock;

// The point in time of "never".
inline constexpr Clock::time_point no_deadline = Clock::time_point::max();

// Returns the point in time that is this long after `now`.
inline Clock::time_point deadline_after(Clock::time_point now, std::chrono::milliseconds time) {
  const auto longest = std::chrono::duration_cast<std::chrono::milliseconds>(no_deadline - now);
  return time < longest ? now + time : no_deadline;
}

// Points in time, each of which belongs to a key. No timer: it is told the time.
template <class Key>
class Deadlines {
 public:
  void add(Clock::time_point deadline, Key key) {
    if (deadline != no_deadline) all_.emplace(deadline, key);
  }
  void remove(Clock::time_point deadline, Key key) noexcept {
    if (deadline != no_deadline) all_.erase({deadline, key});
  }
  void clear() noexcept { all_.clear(); }

  // Returns the earliest one.
  Clock::time_point next() const { return all_.empty() ? no_deadline : all_.begin()->first; }

  // Returns the key of the earliest one, if it has come.
  std::optional<Key> due(Clock::time_point now) const {
    if (all_.empty() || all_.begin()->first > now) return std::nullopt;
    return all_.begin()->second;
  }

 private:
  std::set<std::pair<Clock::time_point, Key>> all_;
};

}  // namespace tine::rpc
