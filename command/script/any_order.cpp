#include "command/script/any_order.hpp"

namespace tine::command {

bool AnyOrder::add() {
  std::vector<bool> tried(arrival_at_.size());
  if (!place(arrivals_, tried)) return false;
  ++arrivals_;
  return true;
}

bool AnyOrder::place(std::size_t arrival, std::vector<bool>& tried) {
  for (std::size_t i = 0; i < arrival_at_.size(); ++i) {
    if (tried[i] || !fits_(i, arrival)) continue;
    tried[i] = true;
    if (arrival_at_[i] && !place(*arrival_at_[i], tried)) continue;
    arrival_at_[i] = arrival;
    return true;
  }
  return false;
}

}  // namespace tine::command
