#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "pool/action.hpp"

namespace tine::pool {

// The actions that are to be taken. Memory for them is reserved before the events that cause them.
class ActionQueue {
 public:
  bool empty() const { return next_ == actions_.size(); }

  // Makes room for this many more. If memory runs out, throws std::bad_alloc and changes nothing.
  void reserve(std::size_t more) {
    if (actions_.capacity() - actions_.size() >= more) return;
    actions_.erase(actions_.begin(), actions_.begin() + static_cast<std::ptrdiff_t>(next_));
    next_ = 0;
    const std::size_t needed = actions_.size() + more;
    if (needed > actions_.capacity()) actions_.reserve(std::max(needed, 2 * actions_.capacity()));
  }

  void push(const Action& action) { actions_.push_back(action); }

  Action pop() {
    const Action action = actions_[next_++];
    if (empty()) {
      actions_.clear();
      next_ = 0;
    }
    return action;
  }

 private:
  std::vector<Action> actions_;
  std::size_t next_ = 0;
};

}  // namespace tine::pool
