#include "command/script/message_group.hpp"

#include <utility>

namespace tine::command {

MessageGroup::MessageGroup(std::span<const Step> steps, const Captures& captures)
    : steps_(steps), order_(steps.size(), [this, &captures](std::size_t step, std::size_t arrival) {
        return matches(steps_[step].pattern, placed_[arrival].value, captures);
      }) {}

bool MessageGroup::add(Arrival message) {
  placed_.push_back(std::move(message));
  if (order_.add()) return true;
  extras_.push_back(std::move(placed_.back()));
  placed_.pop_back();
  return false;
}

const Arrival* MessageGroup::at(std::size_t step) const {
  const auto arrival = order_.arrival_at(step);
  return arrival ? &placed_[*arrival] : nullptr;
}

}  // namespace tine::command
