#include "wire/v8_members.hpp"

#include <algorithm>
#include <iterator>

namespace tine::wire {

using nlohmann::json;

V8Members::Object V8Members::begin(json& target) {
  if (!target.is_object()) target = json::object();
  auto* const members = target.get_ptr<json::object_t*>();
  return {members, members->begin(), 0, true};
}

json::object_t::pointer V8Members::member(Object& object, std::string_view key) {
  json::object_t& members = *object.members;
  if (object.in_order) {
    if (object.old != members.end() && object.old->first == key) return &*object.old++;
    leave_order(object);
  }
  if (members.empty() || std::prev(members.end())->first < key) {
    return &*members.emplace_hint(members.end(), key, nullptr);
  }
  const auto at = members.lower_bound(key);
  if (at == members.end() || at->first != key) return &*members.emplace_hint(at, key, nullptr);
  return take_stale(object, at) ? &*at : nullptr;
}

void V8Members::end(Object& object) {
  if (object.in_order) {
    object.members->erase(object.old, object.members->end());
    return;
  }
  for (; stale_.size() > object.stale; stale_.pop_back()) object.members->erase(stale_.back());
}

void V8Members::leave_order(Object& object) {
  // With more members, to search for each among the others costs more than a new object.
  constexpr std::ptrdiff_t most = 32;
  object.in_order = false;
  object.stale = stale_.size();
  json::object_t& members = *object.members;
  const auto left = std::distance(object.old, members.end());
  if (left > most) members.erase(object.old, members.end());
  if (left == 0 || left > most) return;
  for (auto member = object.old; member != members.end(); ++member) stale_.push_back(member);
}

bool V8Members::take_stale(const Object& object, json::object_t::iterator member) {
  const auto begin = stale_.begin() + static_cast<std::ptrdiff_t>(object.stale);
  const auto found = std::find(begin, stale_.end(), member);
  if (found == stale_.end()) return false;
  *found = stale_.back();
  stale_.pop_back();
  return true;
}

}  // namespace tine::wire
