#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace tine::wire {

// The JavaScript objects that have other values in them.
enum class V8Container : unsigned char { object, array, map, set, error };

// The step of a path from a container to a value in it.
struct V8Step {
  V8Container container = V8Container::object;
  // Whether an object is in {"$escape":…}, or an array in {"$array":…}.
  bool is_tagged = false;
  std::size_t index = 0;             // in an array, a Set, or the keys and values of a Map
  const std::string* key = nullptr;  // of a member; null: the index tells
};

// A Relative JSON Pointer (draft-bhutton-relative-json-pointer): the way from a reference to the
// object that it names.
struct V8Pointer {
  std::size_t up;         // how many arrays and objects it leads out of
  std::string_view down;  // a JSON Pointer (RFC 6901), from there
};

// Returns the pointer that a text is; nullopt if it is none. A pointer that leads up 0 times is none,
// because no object is in a reference. Nor is one with '#', which names a key.
std::optional<V8Pointer> v8_pointer(std::string_view text);

// Returns which element a key of an array names; nullopt if it names another property.
std::optional<std::uint32_t> array_index(std::string_view key);

// Returns how many arrays and objects of the value a step leads into: those of a tag count.
std::size_t levels_of(const V8Step& step);

// Appends the step to a JSON Pointer (RFC 6901) to the container, but for some of its first levels.
void append_step(std::string& pointer, const V8Step& step, std::size_t skipped = 0);

// Returns the value that the step leads to, which must be there.
nlohmann::json& follow_step(nlohmann::json& container, const V8Step& step);

// Returns the value that a JSON Pointer names; null if there is none.
const nlohmann::json* find_value(const nlohmann::json& from, std::string_view pointer);

// Returns the end of an error message: ", at " and the pointer, shortened; empty for the root.
std::string at_pointer(std::string_view pointer);

}  // namespace tine::wire
