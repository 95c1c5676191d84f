#pragma once

#include <optional>
#include <set>
#include <utility>

#include "uv/deadline.hpp"

namespace tine::rpc {

using uv::Clock;
using uv::deadline_after;
using uv::no_deadline;

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
