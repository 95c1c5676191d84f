#pragma once

#include <cstddef>

#include <nlohmann/json.hpp>

namespace tine::wire {

// The objects that stand for JavaScript values which nlohmann::json, or JSON text, has no type for,
// such as {"$date":0}. docs/advanced.md has them in tables.
enum class V8Meaning : unsigned char {
  plain,  // the object stands for itself
  array,
  bigint,
  binary,
  boxed,
  date,
  error,
  escape,
  map,
  number,
  reference,
  regexp,
  resizable,
  set,
  undefined,
};

// Their members.
namespace v8 {
inline constexpr const char* array_key = "$array";
inline constexpr const char* bigint_key = "$bigint";
inline constexpr const char* binary_key = "$binary";
inline constexpr const char* boxed_key = "$boxed";
inline constexpr const char* date_key = "$date";
inline constexpr const char* error_key = "$error";
inline constexpr const char* escape_key = "$escape";
inline constexpr const char* map_key = "$map";
inline constexpr const char* number_key = "$number";
inline constexpr const char* reference_key = "$ref";
inline constexpr const char* regexp_key = "$regexp";
inline constexpr const char* resizable_key = "$resizable";
inline constexpr const char* set_key = "$set";
inline constexpr const char* undefined_key = "$undefined";

inline constexpr const char* cause_key = "cause";
inline constexpr const char* flags_key = "flags";
inline constexpr const char* length_key = "length";
inline constexpr const char* max_length_key = "maxByteLength";
inline constexpr const char* message_key = "message";
inline constexpr const char* stack_key = "stack";
inline constexpr const char* subtype_key = "subtype";

inline constexpr const char* not_a_number = "NaN";
inline constexpr const char* infinity = "Infinity";
inline constexpr const char* minus_infinity = "-Infinity";
}  // namespace v8

// Finds out what an object stands for. It must have exactly the members of the table, with values of
// the right types: any other object is plain.
V8Meaning meaning_of_tagged(const nlohmann::json::object_t& object);

// The members are sorted, and all others of the table's objects come after the one with the '$'.
inline bool begins_with_dollar(const nlohmann::json::object_t& object) {
  return !object.empty() && object.begin()->first.starts_with('$');
}

inline V8Meaning meaning_of(const nlohmann::json::object_t& object) {
  if (!begins_with_dollar(object)) [[likely]]
    return V8Meaning::plain;
  return meaning_of_tagged(object);
}

// Returns whether a value is an object of JavaScript's, and not itself a reference to one.
bool can_be_referred_to(const nlohmann::json& value);

// Returns whether a plain object of JavaScript's must be marked as one, because it looks like an object
// with a meaning, here or in JSON text, where bytes and numbers that are not finite are objects.
bool looks_tagged_behind_dollar(const nlohmann::json::object_t& object);

inline bool looks_tagged(const nlohmann::json::object_t& object) {
  return begins_with_dollar(object) && looks_tagged_behind_dollar(object);
}

// Returns how many objects a value consists of that has no other values in it: a boxed BigInt is an
// object in an object, and a string is none.
inline std::size_t levels_of_leaf(const nlohmann::json& value) {
  if (!value.is_object()) return 0;
  return value.begin()->is_object() ? 2 : 1;
}

}  // namespace tine::wire
