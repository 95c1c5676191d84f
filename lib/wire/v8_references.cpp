#include "wire/v8_references.hpp"

#include <string>
#include <utility>

#include "wire/v8_path.hpp"
#include "wire/v8_tags.hpp"

namespace tine::wire {

using nlohmann::json;

void V8References::find(const json& root) {
  clear();
  visit(root, false);
  while (!levels_.empty()) {
    Level& level = levels_.back();
    if (level.next == level.value->end()) {
      levels_.pop_back();
    } else {
      const json& value = *level.next++;
      visit(value, std::exchange(level.has_members, false));
    }
  }
}

void V8References::clear() {
  if (!targets_.empty()) targets_ = {};
}

std::optional<const json*> V8References::target(const json& reference) const {
  if (!reference.is_object()) return std::nullopt;
  const auto found = targets_.find(&reference);
  return found == targets_.end() ? std::nullopt : std::optional(found->second);
}

void V8References::visit(const json& value, bool is_plain) {
  if (!value.is_structured()) return;
  const auto* const object = value.get_ptr<const json::object_t*>();
  const V8Meaning meaning = object == nullptr || is_plain ? V8Meaning::plain : meaning_of(*object);
  if (meaning == V8Meaning::reference) {
    targets_.emplace(&value, find_target(*value.begin()));
  } else {
    const bool has_members = meaning == V8Meaning::escape || meaning == V8Meaning::array;
    levels_.push_back({&value, value.begin(), has_members});
  }
}

const json* V8References::find_target(const json& pointer) const {
  const auto [up, down] = *v8_pointer(pointer.get_ref<const std::string&>());
  if (up > levels_.size()) return nullptr;
  return find_value(*levels_[levels_.size() - up].value, down);
}

}  // namespace tine::wire
