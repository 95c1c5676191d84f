#include "wire/internal_message.hpp"

#include <string>
#include <variant>

#include <nlohmann/json.hpp>

namespace tine::wire {

namespace {

std::string_view command_in(std::string_view cmd) {
  const bool is_internal = cmd.size() > internal_prefix.size() && cmd.starts_with(internal_prefix);
  return is_internal ? cmd : std::string_view();
}

}  // namespace

std::string_view internal_command(const nlohmann::json& message) {
  const auto* const object = message.get_ptr<const nlohmann::json::object_t*>();
  if (object == nullptr) return {};
  const auto member = object->find("cmd");
  if (member == object->end()) return {};
  const auto* const command = member->second.get_ptr<const nlohmann::json::string_t*>();
  return command == nullptr ? std::string_view() : command_in(*command);
}

std::string_view internal_command(const Object& message) {
  for (const auto& [name, value] : message.members()) {
    if (name != "cmd") continue;
    const auto* const command = std::get_if<std::string>(&value.content());
    return command == nullptr ? std::string_view() : command_in(*command);
  }
  return {};
}

}  // namespace tine::wire
