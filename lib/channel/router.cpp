#include "channel/router.hpp"

#include <utility>

namespace tine::channel {

void Router::add(Offers offers, Route route) {
  entries_.push_back({offers, std::make_shared<Route>(std::move(route))});
  if (offers == Offers::user) ++for_user_;
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
    if ((*route)(message, beside)) return true;
  }
  return false;
}

}  // namespace tine::channel
