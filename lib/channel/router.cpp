#include "channel/router.hpp"

#include <utility>

namespace tine::channel {

std::size_t Router::add(Offers offers, Route route) {
  entries_.push_back({offers, last_number_ + 1, std::make_shared<Route>(std::move(route))});
  if (offers == Offers::user) ++for_user_;
  return ++last_number_;
}

void Router::remove(std::size_t number) noexcept {
  for (Entry& entry : entries_) {
    if (entry.number != number || !entry.route) continue;
    if (entry.offers == Offers::user) --for_user_;
    const auto captures = std::move(entry.route);
    return;
  }
}

// The captures of the routes are destroyed last, because they may hold the object that has this.
void Router::clear() noexcept {
  const std::vector<Entry> dropped = std::exchange(entries_, {});
  for_user_ = 0;
}

bool Router::offer(Offers kind, nlohmann::json& message, ReceivedDescriptors* beside) {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].offers != kind) continue;
    const auto route = entries_[i].route;  // stays although it may clear the router
    if (route && (*route)(message, beside)) return true;
  }
  return false;
}

}  // namespace tine::channel
