#pragma once

#include <cstdint>

#include <nlohmann/json_fwd.hpp>

#include "wire/v8_format.hpp"
#include "wire/v8_input.hpp"

namespace tine::wire {

// Returns whether a tag announces an object that has no other values in it, such as a Date.
bool is_leaf_object(v8::Tag tag);

// Reads a value that has no other values in it and that JSON has no type for, into `value`. Returns
// what is wrong with it; null if nothing is.
const char* read_leaf(V8Input& input, v8::Tag tag, nlohmann::json& value);

// Reads what Node writes of a Buffer or another view of bytes.
const char* read_view(V8Input& input, nlohmann::json& value);

// Stores a Number: as an integer if it is one that a Number holds exactly. -0 is none.
void store_number(double number, nlohmann::json& value);

// Stores a value over another one, in its place if they are of the same type. Compares the types
// because get_ptr() to a signed number also succeeds for an unsigned one.
template <class Json, class T>
void store(Json& value, typename Json::value_t type, T number) {
  if (value.type() == type) {
    *value.template get_ptr<T*>() = number;
  } else {
    value = number;
  }
}

template <class Json>
void store_int32(std::int32_t number, Json& value) {
  if (number < 0) {
    store(value, Json::value_t::number_integer, std::int64_t{number});
  } else {
    store(value, Json::value_t::number_unsigned, static_cast<std::uint64_t>(number));
  }
}

}  // namespace tine::wire
