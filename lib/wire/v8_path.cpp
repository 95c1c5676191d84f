#include "wire/v8_path.hpp"

#include <charconv>

#include <nlohmann/json.hpp>

#include "wire/v8_tags.hpp"

namespace tine::wire {

namespace {

using nlohmann::json;

void append_token(std::string& pointer, std::string_view token) {
  pointer += '/';
  for (const char c : token) {
    if (c == '~') {
      pointer += "~0";
    } else if (c == '/') {
      pointer += "~1";
    } else {
      pointer += c;
    }
  }
}

// Undoes what append_token() does. Leaves a '~' that it does not write.
std::string key_of(std::string_view token) {
  std::string key;
  for (; !token.empty(); token.remove_prefix(1)) {
    const bool is_escape = token.starts_with("~0") || token.starts_with("~1");
    if (is_escape) token.remove_prefix(1);
    key += !is_escape ? token[0] : token[0] == '0' ? '~' : '/';
  }
  return key;
}

const json* find_child(const json& value, std::string_view token) {
  if (value.is_array()) {
    const auto index = array_index(token);
    return index && *index < value.size() ? &value[*index] : nullptr;
  }
  if (!value.is_object()) return nullptr;
  const auto found = value.find(key_of(token));
  return found == value.end() ? nullptr : &*found;
}

}  // namespace

std::optional<V8Pointer> v8_pointer(std::string_view text) {
  V8Pointer pointer{};
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, pointer.up);
  if (text.starts_with('0') || error == std::errc::invalid_argument) return std::nullopt;
  if (error == std::errc::result_out_of_range) pointer.up = SIZE_MAX;  // leads out of any value
  pointer.down = {at, static_cast<std::size_t>(end - at)};
  const bool is_pointer = pointer.down.empty() || pointer.down.starts_with('/');
  return is_pointer ? std::optional(pointer) : std::nullopt;
}

std::optional<std::uint32_t> array_index(std::string_view key) {
  constexpr std::uint32_t length_limit = UINT32_MAX;
  std::uint32_t index = 0;
  const char* const end = key.data() + key.size();
  const auto [at, error] = std::from_chars(key.data(), end, index);
  const bool is_index = error == std::errc() && at == end && index < length_limit &&
                        (key == "0" || !key.starts_with('0'));
  return is_index ? std::optional(index) : std::nullopt;
}

std::size_t levels_of(const V8Step& step) {
  switch (step.container) {
    case V8Container::object:
    case V8Container::array: return step.is_tagged ? 2 : 1;
    case V8Container::map: return 3;
    case V8Container::set: return 2;
    case V8Container::error: return 1;
  }
  return 1;
}

void append_step(std::string& pointer, const V8Step& step, std::size_t skipped) {
  const std::string index = step.key != nullptr ? "" : std::to_string(step.index);
  const auto append = [&](std::string_view token) {
    if (skipped == 0) return append_token(pointer, token);
    --skipped;
  };
  switch (step.container) {
    case V8Container::object:
      if (step.is_tagged) append(v8::escape_key);
      return append(*step.key);
    case V8Container::array:
      if (step.is_tagged) append(v8::array_key);
      return append(step.key != nullptr ? *step.key : index);
    case V8Container::map:
      append(v8::map_key);
      append(std::to_string(step.index / 2));
      return append(step.index % 2 == 0 ? "0" : "1");
    case V8Container::set: append(v8::set_key); return append(index);
    case V8Container::error: return append(v8::cause_key);
  }
}

json& follow_step(json& container, const V8Step& step) {
  switch (step.container) {
    case V8Container::object:
      return (step.is_tagged ? container.at(v8::escape_key) : container).at(*step.key);
    case V8Container::array:
      if (!step.is_tagged) return container.at(step.index);
      return container.at(v8::array_key)
          .at(step.key != nullptr ? *step.key : std::to_string(step.index));
    case V8Container::map: return container.at(v8::map_key).at(step.index / 2).at(step.index % 2);
    case V8Container::set: return container.at(v8::set_key).at(step.index);
    case V8Container::error: return container.at(v8::cause_key);
  }
  return container;
}

const json* find_value(const json& from, std::string_view pointer) {
  const json* value = &from;
  while (!pointer.empty() && value != nullptr) {
    pointer.remove_prefix(1);
    const std::string_view token = pointer.substr(0, pointer.find('/'));
    value = find_child(*value, token);
    pointer.remove_prefix(token.size());
  }
  return value;
}

std::string at_pointer(std::string_view pointer) {
  constexpr std::size_t longest = 100;
  if (pointer.empty()) return {};
  std::size_t size = pointer.size();
  if (size > longest) {
    size = longest;
    // Does not cut a character of UTF-8 into two.
    while ((static_cast<unsigned char>(pointer[size]) & 0xC0) == 0x80) --size;
  }
  std::string text = ", at ";
  text += pointer.substr(0, size);
  if (size < pointer.size()) text += "…";
  return text;
}

}  // namespace tine::wire
