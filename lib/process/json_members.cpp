#include "process/json_members.hpp"

#include <utility>

#include <nlohmann/json.hpp>

namespace tine::process {

using nlohmann::json;

const json& member(const json& message, const char* name) {
  static const json nothing;
  const auto found = message.find(name);
  return found == message.end() ? nothing : *found;
}

std::string text_member(const json& message, const char* name) {
  const json& value = member(message, name);
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::optional<std::int64_t> number_member(const json& message, const char* name) {
  const json& value = member(message, name);
  const bool fits = value.is_number_unsigned()
                        ? std::in_range<std::int64_t>(value.get<std::uint64_t>())
                        : value.is_number_integer();
  return fits ? std::optional(value.get<std::int64_t>()) : std::nullopt;
}

bool flag_member(const json& message, const char* name) {
  const json& value = member(message, name);
  return value.is_boolean() && value.get<bool>();
}

}  // namespace tine::process
