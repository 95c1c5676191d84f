#include "wire/v8_leaves.hpp"

#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "wire/v8_bigint.hpp"
#include "wire/v8_tags.hpp"
#include "wire/v8_text.hpp"

namespace tine::wire {

namespace {

using nlohmann::json;
using v8::Tag;

constexpr const char* unknown = "a byte that stands for no value";

// Returns an object with this member.
json tagged(const char* key, json value) {
  json object = json::object();
  object.emplace(key, std::move(value));
  return object;
}

void store_bigint(const V8BigInt& number, json& value) {
  if (const auto natural = number.as_unsigned()) {
    value = *natural;
  } else if (const auto negative = number.as_negative()) {
    value = *negative;
  } else {
    value = tagged(v8::bigint_key, number.text());
  }
}

const char* read_bigint(V8Input& input, Tag tag, json& value) {
  const std::uint32_t sign_and_size = input.varint();
  const V8BigInt number((sign_and_size & 1) != 0, input.bytes(sign_and_size >> 1));
  if (number.bytes().size() > v8::max_bigint) return "a BigInt of more than 2^30 bits";
  if (tag == Tag::bigint) {
    store_bigint(number, value);
  } else {
    value = tagged(v8::boxed_key, tagged(v8::bigint_key, number.text()));
  }
  return nullptr;
}

// Stores the milliseconds of a Date, null for an invalid one. JavaScript cuts off what is smaller,
// and has no -0 here.
void store_date(double time, json& value) {
  json milliseconds;
  if (std::abs(time) <= v8::max_time) store_number(std::trunc(time) + 0.0, milliseconds);
  value = tagged(v8::date_key, std::move(milliseconds));
}

const char* read_regexp(V8Input& input, json& value) {
  std::string source;
  if (const char* const problem = read_string(input, input.tag(), source)) return problem;
  const std::uint32_t bits = input.varint();
  std::string flags;
  for (std::size_t i = 0; i < v8::regexp_flags.size(); ++i) {
    if ((bits >> i & 1) != 0) flags += v8::regexp_flags[i];
  }
  if (bits >> v8::regexp_flags.size() != 0) return "a RegExp with an unknown flag";
  value = tagged(v8::regexp_key, std::move(source));
  value.emplace(v8::flags_key, std::move(flags));
  return nullptr;
}

void store_bytes(std::string_view bytes, std::optional<v8::BinaryType> type, json& value) {
  if (!value.is_binary()) value = json::binary({});
  json::binary_t& binary = value.get_binary();
  const auto* const begin = reinterpret_cast<const std::uint8_t*>(bytes.data());
  binary.assign(begin, begin + bytes.size());
  if (type) {
    binary.set_subtype(*type);
  } else {
    binary.clear_subtype();
  }
}

const char* read_resizable(V8Input& input, json& value) {
  const std::uint32_t size = input.varint();
  const std::uint64_t most = input.varint();
  if (size > most) return "an ArrayBuffer that is larger than it may become";
  json bytes;
  store_bytes(input.bytes(size), v8::array_buffer, bytes);
  value = tagged(v8::resizable_key, std::move(bytes));
  value.emplace(v8::max_length_key, most);
  return nullptr;
}

const char* read_string_object(V8Input& input, json& value) {
  std::string text;
  const char* const problem = read_string(input, input.tag(), text);
  value = tagged(v8::boxed_key, std::move(text));
  return problem;
}

json read_number_object(V8Input& input) {
  json number;
  store_number(input.number(), number);
  return tagged(v8::boxed_key, std::move(number));
}

// Returns why a value cannot come from another process.
const char* refusal(Tag tag) {
  switch (tag) {
    case Tag::array_buffer_view: return "a view that shares its ArrayBuffer";
    case Tag::transferred_array_buffer: return "an ArrayBuffer that is transferred";
    case Tag::shared_array_buffer: return "a SharedArrayBuffer";
    case Tag::shared_object: return "an object that threads share";
    case Tag::wasm_module: return "a WebAssembly.Module";
    case Tag::wasm_memory: return "a WebAssembly.Memory";
    default: return unknown;
  }
}

}  // namespace

bool is_leaf_object(Tag tag) { return tag != Tag::undefined && tag != Tag::bigint; }

const char* read_leaf(V8Input& input, Tag tag, json& value) {
  switch (tag) {
    case Tag::undefined: value = tagged(v8::undefined_key, true); return nullptr;
    case Tag::bigint:
    case Tag::bigint_object: return read_bigint(input, tag, value);
    case Tag::date: store_date(input.number(), value); return nullptr;
    case Tag::regexp: return read_regexp(input, value);
    case Tag::true_object: value = tagged(v8::boxed_key, true); return nullptr;
    case Tag::false_object: value = tagged(v8::boxed_key, false); return nullptr;
    case Tag::number_object: value = read_number_object(input); return nullptr;
    case Tag::string_object: return read_string_object(input, value);
    case Tag::array_buffer:
      store_bytes(input.bytes(input.varint()), v8::array_buffer, value);
      return nullptr;
    case Tag::resizable_array_buffer: return read_resizable(input, value);
    default: return refusal(tag);
  }
}

const char* read_view(V8Input& input, json& value) {
  const std::uint32_t type = input.varint();
  const std::string_view bytes = input.bytes(input.varint());
  if (type >= v8::element_sizes.size()) return "a view of an unknown type";
  if (bytes.size() % v8::element_sizes[type] != 0) return "a view that ends within an element";
  if (type == v8::buffer) {
    store_bytes(bytes, std::nullopt, value);
  } else {
    store_bytes(bytes, static_cast<v8::BinaryType>(type), value);
  }
  return nullptr;
}

void store_number(double number, json& value) {
  constexpr auto most = static_cast<double>(v8::max_safe_integer);
  const bool is_integer = std::abs(number) <= most && std::trunc(number) == number &&
                          (number != 0 || !std::signbit(number));
  if (std::isnan(number)) {
    // JavaScript has only one, whatever its bits.
    store(value, json::value_t::number_float, std::numeric_limits<double>::quiet_NaN());
  } else if (!is_integer) {
    store(value, json::value_t::number_float, number);
  } else if (number < 0) {
    store(value, json::value_t::number_integer, static_cast<std::int64_t>(number));
  } else {
    store(value, json::value_t::number_unsigned, static_cast<std::uint64_t>(number));
  }
}

}  // namespace tine::wire
