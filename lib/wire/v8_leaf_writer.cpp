#include "wire/v8_leaf_writer.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>

#include <simdjson.h>

#include "base/base64.hpp"
#include "wire/v8_bigint.hpp"
#include "wire/v8_format.hpp"
#include "wire/v8_text.hpp"

namespace tine::wire {

namespace {

using nlohmann::json;
using v8::Tag;

constexpr const char* too_long = "it is longer than 4 GiB";

bool is_too_long(std::size_t size) { return size > UINT32_MAX; }

// V8 writes digits of 64 bits.
const char* write_bigint(V8Output& out, Tag tag, const V8BigInt& number) {
  constexpr std::size_t digit = sizeof(std::uint64_t);
  constexpr std::string_view zeros("\0\0\0\0\0\0\0", digit - 1);
  const std::size_t size = number.bytes().size();
  if (size > v8::max_bigint) return "a BigInt has at most 2^30 bits";
  const std::size_t rounded = (size + digit - 1) / digit * digit;
  out.tag(tag, std::uint64_t{rounded << 1 | (number.is_negative() ? 1 : 0)});
  out.bytes(number.bytes());
  out.bytes(zeros.substr(0, rounded - size));
  return nullptr;
}

void write_double(V8Output& out, Tag tag, double number) {
  // Not every NaN is one to V8.
  out.tag(tag, std::isnan(number) ? std::numeric_limits<double>::quiet_NaN() : number);
}

void write_integer(V8Output& out, std::int32_t number) {
  const auto bits = static_cast<std::uint32_t>(number);
  out.tag(Tag::int32, std::uint64_t{bits << 1 ^ static_cast<std::uint32_t>(number >> 31)});
}

// An integer that is too large for a Number to hold exactly is a BigInt: a Number would change it.
const char* write_integer(V8Output& out, std::int64_t number) {
  if (number == static_cast<std::int32_t>(number)) {
    write_integer(out, static_cast<std::int32_t>(number));
  } else if (number >= -v8::max_safe_integer && number <= v8::max_safe_integer) {
    out.tag(Tag::number, static_cast<double>(number));
  } else {
    return write_bigint(out, Tag::bigint, V8BigInt(number));
  }
  return nullptr;
}

const char* write_integer(V8Output& out, std::uint64_t number) {
  constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
  if (number <= most) return write_integer(out, static_cast<std::int64_t>(number));
  return write_bigint(out, Tag::bigint, V8BigInt(number));
}

V8BigInt bigint_in(const json& tagged) {
  return V8BigInt(tagged.begin()->get_ref<const std::string&>());
}

const char* write_date(V8Output& out, const json& time) {
  double milliseconds = std::numeric_limits<double>::quiet_NaN();
  if (!time.is_null()) {
    milliseconds = time.get<double>();
    const bool is_time =
        std::trunc(milliseconds) == milliseconds && std::abs(milliseconds) <= v8::max_time;
    if (!is_time) return "a Date is a whole number of milliseconds, at most 8.64e15 from 1970";
  }
  out.tag(Tag::date, milliseconds);
  return nullptr;
}

const char* write_regexp(V8Output& out, const std::string& source, const std::string& flags) {
  std::uint64_t bits = 0;
  for (const char flag : flags) {
    const std::size_t bit = v8::regexp_flags.find(flag);
    if (bit == v8::regexp_flags.npos) return "a RegExp has no such flag";
    bits |= std::uint64_t{1} << bit;
  }
  out.tag(Tag::regexp);
  const char* const problem = write_text(out, source);
  out.varint(bits);
  return problem;
}

double number_in(const json::object_t& tagged) {
  const json& name = tagged.begin()->second;
  if (name == v8::not_a_number) return std::numeric_limits<double>::quiet_NaN();
  constexpr double infinity = std::numeric_limits<double>::infinity();
  return name == v8::infinity ? infinity : -infinity;
}

const char* write_boxed(V8Output& out, const json& value) {
  if (value.is_boolean()) {
    out.tag(value.get<bool>() ? Tag::true_object : Tag::false_object);
    return nullptr;
  }
  if (value.is_string()) {
    out.tag(Tag::string_object);
    return write_text(out, value.get_ref<const std::string&>());
  }
  if (const auto* const object = value.get_ptr<const json::object_t*>()) {
    if (meaning_of(*object) == V8Meaning::bigint) {
      return write_bigint(out, Tag::bigint_object, bigint_in(value));
    }
    write_double(out, Tag::number_object, number_in(*object));
    return nullptr;
  }
  const auto number = value.get<double>();
  if (value.is_number_integer() && std::abs(number) > static_cast<double>(v8::max_safe_integer)) {
    return "a Number object does not hold an integer beyond 2^53; a boxed $bigint does";
  }
  write_double(out, Tag::number_object, number);
  return nullptr;
}

std::string_view view_of(const json::binary_t& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

json::binary_t binary_in(const json::object_t& tagged) {
  json::binary_t bytes(base::from_base64(tagged.begin()->second.get_ref<const std::string&>()));
  if (tagged.size() > 1) bytes.set_subtype(tagged.rbegin()->second.get<std::uint64_t>());
  return bytes;
}

const char* write_resizable(V8Output& out, const json::binary_t& bytes, std::uint64_t most) {
  if (bytes.size() > most || is_too_long(most)) {
    return "an ArrayBuffer is no longer than its maxByteLength, which is at most 4 GiB";
  }
  out.tag(Tag::resizable_array_buffer, std::uint64_t{bytes.size()});
  out.varint(most);
  out.bytes(view_of(bytes));
  return nullptr;
}

}  // namespace

const char* write_text(V8Output& out, const std::string& text) {
  if (is_too_long(text.size())) return too_long;
  if (is_ascii(text)) {
    out.tag(Tag::latin1, text);
    return nullptr;
  }
  if (!simdjson::validate_utf8(text.data(), text.size())) return "a string is not valid UTF-8";
  out.tag(Tag::utf8, text);
  return nullptr;
}

const char* write_number(V8Output& out, const json& number) {
  if (const auto* const natural = number.get_ptr<const json::number_unsigned_t*>()) {
    return write_integer(out, *natural);
  }
  if (const auto* const integer = number.get_ptr<const json::number_integer_t*>()) {
    return write_integer(out, *integer);
  }
  write_double(out, Tag::number, number.get<double>());
  return nullptr;
}

const char* write_binary(V8Output& out, const json::binary_t& bytes) {
  if (is_too_long(bytes.size())) return too_long;
  const std::uint64_t type = bytes.has_subtype() ? bytes.subtype() : std::uint64_t{v8::buffer};
  if (type == v8::array_buffer) {
    out.tag(Tag::array_buffer, view_of(bytes));
    return nullptr;
  }
  if (type >= v8::element_sizes.size()) return "a binary value whose subtype is none of JavaScript";
  if (bytes.size() % v8::element_sizes[type] != 0) return "a view does not end within an element";
  out.tag(Tag::host_object, std::uint64_t{static_cast<unsigned>(v8::HostObject::view)});
  out.varint(type);
  out.varint(bytes.size());
  out.bytes(view_of(bytes));
  return nullptr;
}

const char* write_leaf(V8Output& out, V8Meaning meaning, const json::object_t& object) {
  const json& value = object.begin()->second;
  switch (meaning) {
    case V8Meaning::undefined: out.tag(Tag::undefined); return nullptr;
    case V8Meaning::bigint:
      return write_bigint(out, Tag::bigint, V8BigInt(value.get_ref<const std::string&>()));
    case V8Meaning::date: return write_date(out, value);
    case V8Meaning::regexp:
      return write_regexp(out, value.get_ref<const std::string&>(),
                          object.rbegin()->second.get_ref<const std::string&>());
    case V8Meaning::binary: return write_binary(out, binary_in(object));
    case V8Meaning::number: write_double(out, Tag::number, number_in(object)); return nullptr;
    case V8Meaning::boxed: return write_boxed(out, value);
    case V8Meaning::resizable: {
      const auto most = object.rbegin()->second.get<std::uint64_t>();
      if (value.is_binary()) return write_resizable(out, value.get_binary(), most);
      return write_resizable(out, binary_in(*value.get_ptr<const json::object_t*>()), most);
    }
    default: return "an object with other values in it";
  }
}

}  // namespace tine::wire
