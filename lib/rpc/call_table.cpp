#include "rpc/call_table.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace tine::rpc {

void CallTable::add(std::shared_ptr<Pending> call) {
  const Id id = last_ + 1;
  Pending& added = *call;
  calls_.emplace(id, std::move(call));
  last_ = id;
  added.id = id;
  try {
    deadlines_.add(added.deadline, id);
    if (added.extras && !added.extras->token.is_null()) tokens_[added.extras->token] = id;
  } catch (...) {
    extract(id);
    throw;
  }
}

// A later request may have the same token, which is its own then.
void CallTable::leave(Pending& call) noexcept {
  deadlines_.remove(call.deadline, call.id);
  if (!call.extras) return;
  if (call.extras->stop) call.extras->stop->stop();
  if (tokens_.empty()) return;
  const auto token = tokens_.find(call.extras->token);
  if (token != tokens_.end() && token->second == call.id) tokens_.erase(token);
}

std::shared_ptr<Pending> CallTable::extract(Id id) noexcept {
  const auto found = calls_.find(id);
  if (found == calls_.end()) return nullptr;
  auto call = std::move(found->second);
  calls_.erase(found);
  leave(*call);
  return call;
}

std::shared_ptr<Pending> CallTable::extract_any() noexcept {
  return calls_.empty() ? nullptr : extract(calls_.begin()->first);
}

std::shared_ptr<Pending> CallTable::call(Id id) const {
  const auto found = calls_.find(id);
  return found == calls_.end() ? nullptr : found->second;
}

std::shared_ptr<Pending> CallTable::call_of_token(const nlohmann::json& token) const {
  const auto owner = tokens_.find(token);
  return call(owner == tokens_.end() ? given(token) : owner->second);
}

std::shared_ptr<Pending> CallTable::due(Clock::time_point now) const {
  const auto id = deadlines_.due(now);
  return id ? call(*id) : nullptr;
}

std::vector<std::shared_ptr<Pending>> CallTable::all() const {
  std::vector<std::shared_ptr<Pending>> all;
  all.reserve(calls_.size());
  for (const auto& [id, call] : calls_) all.push_back(call);
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a->id < b->id; });
  return all;
}

Id CallTable::given(const nlohmann::json& id) const {
  const bool natural =
      id.is_number_unsigned() || (id.is_number_integer() && id.get<std::int64_t>() > 0);
  if (!natural) return 0;
  const Id number = id.get<Id>();
  return number <= last_ ? number : 0;
}

}  // namespace tine::rpc
