#include "wire/v8_tags.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/base64.hpp"
#include "wire/v8_bigint.hpp"
#include "wire/v8_format.hpp"
#include "wire/v8_path.hpp"

namespace tine::wire {

namespace {

using nlohmann::json;
using Members = json::object_t;

bool is_alone(const Members& object) { return object.size() == 1; }

// Returns whether an object has two members, of which the second one has this key.
bool is_with(const Members& object, std::string_view key) {
  return object.size() == 2 && object.rbegin()->first == key;
}

// A float that is a whole number is an integer when it comes back, so it counts as one here.
bool is_size(const json& value) {
  if (value.is_number_float()) {
    const auto number = value.get<double>();
    return !std::signbit(number) && std::trunc(number) == number &&
           number <= double{v8::max_safe_integer};
  }
  return value.is_number_integer() && (value.is_number_unsigned() || value >= 0);
}

bool has_meaning(const json& value, V8Meaning meaning) {
  return value.is_object() && meaning_of(*value.get_ptr<const Members*>()) == meaning;
}

bool is_boxed(const json& value) {
  return value.is_boolean() || value.is_number() || value.is_string() ||
         has_meaning(value, V8Meaning::bigint) || has_meaning(value, V8Meaning::number);
}

bool is_bigint_text(const json& value) {
  return value.is_string() && V8BigInt::is_text(value.get_ref<const std::string&>());
}

bool is_pairs(const json& value) {
  return value.is_array() && std::all_of(value.begin(), value.end(), [](const json& pair) {
           return pair.is_array() && pair.size() == 2;
         });
}

bool is_error(const Members& object, const json& name) {
  const bool is_known = std::any_of(v8::error_types.begin(), v8::error_types.end(),
                                    [&](const v8::ErrorType& type) { return name == type.name; });
  return is_known && std::all_of(std::next(object.begin()), object.end(), [](const auto& member) {
           const auto& [key, value] = member;
           if (key == v8::message_key || key == v8::stack_key) return value.is_string();
           return key == v8::cause_key;
         });
}

bool is_binary(const Members& object, const json& value) {
  const bool has_subtype = is_with(object, v8::subtype_key) && is_size(object.rbegin()->second);
  return (is_alone(object) || has_subtype) && value.is_string() &&
         base::is_base64(value.get_ref<const std::string&>());
}

bool is_array_buffer(const json& value) {
  if (has_meaning(value, V8Meaning::binary)) {
    return value.size() == 2 && value.at(v8::subtype_key) == v8::array_buffer;
  }
  return value.is_binary() && value.get_binary().has_subtype() &&
         value.get_binary().subtype() == v8::array_buffer;
}

bool is_pointer(const json& value) {
  return value.is_string() && v8_pointer(value.get_ref<const std::string&>());
}

struct Row {
  const char* key;
  V8Meaning meaning;
  bool (*fits)(const Members& object, const json& value);  // `value`: that of `key`
};

constexpr Row rows[] = {
    {v8::undefined_key, V8Meaning::undefined,
     [](const Members& o, const json& v) { return is_alone(o) && v == true; }},
    {v8::date_key, V8Meaning::date,
     [](const Members& o, const json& v) { return is_alone(o) && (v.is_number() || v.is_null()); }},
    {v8::map_key, V8Meaning::map,
     [](const Members& o, const json& v) { return is_alone(o) && is_pairs(v); }},
    {v8::set_key, V8Meaning::set,
     [](const Members& o, const json& v) { return is_alone(o) && v.is_array(); }},
    {v8::error_key, V8Meaning::error, is_error},
    {v8::bigint_key, V8Meaning::bigint,
     [](const Members& o, const json& v) { return is_alone(o) && is_bigint_text(v); }},
    {v8::binary_key, V8Meaning::binary, is_binary},
    {v8::number_key, V8Meaning::number,
     [](const Members& o, const json& v) {
       return is_alone(o) &&
              (v == v8::not_a_number || v == v8::infinity || v == v8::minus_infinity);
     }},
    {v8::regexp_key, V8Meaning::regexp,
     [](const Members& o, const json& v) {
       return is_with(o, v8::flags_key) && v.is_string() && o.rbegin()->second.is_string();
     }},
    {v8::reference_key, V8Meaning::reference,
     [](const Members& o, const json& v) { return is_alone(o) && is_pointer(v); }},
    {v8::boxed_key, V8Meaning::boxed,
     [](const Members& o, const json& v) { return is_alone(o) && is_boxed(v); }},
    {v8::array_key, V8Meaning::array,
     [](const Members& o, const json& v) {
       return is_with(o, v8::length_key) && v.is_object() && is_size(o.rbegin()->second);
     }},
    {v8::resizable_key, V8Meaning::resizable,
     [](const Members& o, const json& v) {
       return is_with(o, v8::max_length_key) && is_array_buffer(v) && is_size(o.rbegin()->second);
     }},
    {v8::escape_key, V8Meaning::escape,
     [](const Members& o, const json& v) { return is_alone(o) && v.is_object(); }},
};

}  // namespace

V8Meaning meaning_of_tagged(const Members& object) {
  const auto& [key, value] = *object.begin();
  for (const Row& row : rows) {
    if (key != row.key) continue;
    return row.fits(object, value) ? row.meaning : V8Meaning::plain;
  }
  return V8Meaning::plain;
}

bool looks_tagged_behind_dollar(const Members& object) {
  if (meaning_of_tagged(object) != V8Meaning::plain) return true;
  const auto& [key, value] = *object.begin();
  const bool is_object_in_text =
      value.is_binary() || (value.is_number_float() && !std::isfinite(value.get<double>()));
  if (!is_object_in_text) return false;
  if (key == v8::escape_key) return is_alone(object);
  return key == v8::array_key && is_with(object, v8::length_key) &&
         is_size(object.rbegin()->second);
}

bool can_be_referred_to(const json& value) {
  if (!value.is_object()) return value.is_array() || value.is_binary();
  const V8Meaning meaning = meaning_of(*value.get_ptr<const Members*>());
  return meaning != V8Meaning::reference && meaning != V8Meaning::bigint &&
         meaning != V8Meaning::number && meaning != V8Meaning::undefined;
}

}  // namespace tine::wire
