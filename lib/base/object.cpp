#include "tine/object.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include <nlohmann/json.hpp>

namespace tine {

using nlohmann::json;

namespace detail {

namespace {

json json_of(const Value& value) {
  const auto convert = [](const auto& content) -> json {
    if constexpr (std::same_as<decltype(content), const Value::Json&>) {
      return *content;
    } else {
      return content;
    }
  };
  return std::visit(convert, value.content());
}

}  // namespace

bool Value::is_null() const {
  if (const auto* const value = std::get_if<Json>(&content_)) return (*value)->is_null();
  return std::holds_alternative<std::nullptr_t>(content_);
}

}  // namespace detail

void Object::set_value(std::string&& name, detail::Value&& value) {
  const auto has_name = [&](const detail::Member& member) { return member.name == name; };
  const auto member = std::find_if(members_.begin(), members_.end(), has_name);
  if (member == members_.end()) {
    members_.push_back({std::move(name), std::move(value)});
  } else {
    member->value = std::move(value);
  }
}

void to_json(json& to, const Object& from) {
  json::object_t members;
  for (const auto& [name, value] : from.members()) members.emplace(name, detail::json_of(value));
  to = std::move(members);
}

void to_json(json& to, const Array& from) {
  json::array_t items;
  items.reserve(from.size());
  for (const auto& value : from.items()) items.push_back(detail::json_of(value));
  to = std::move(items);
}

}  // namespace tine
