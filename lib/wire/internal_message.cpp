#include "wire/internal_message.hpp"

#include <nlohmann/json.hpp>

namespace tine::wire {

std::string_view internal_command(const nlohmann::json& message) {
  const auto* const object = message.get_ptr<const nlohmann::json::object_t*>();
  if (object == nullptr) return {};
  const auto member = object->find("cmd");
  if (member == object->end()) return {};
  const auto* const command = member->second.get_ptr<const nlohmann::json::string_t*>();
  const bool internal = command != nullptr && command->size() > internal_prefix.size() &&
                        command->starts_with(internal_prefix);
  return internal ? std::string_view(*command) : std::string_view();
}

}  // namespace tine::wire
