#include "wire/v8_json.hpp"

#include <cmath>
#include <cstddef>
#include <limits>

#include <nlohmann/json.hpp>

#include "base/base64.hpp"
#include "base/byte_buffer.hpp"
#include "wire/json_writer.hpp"
#include "wire/v8_tags.hpp"

namespace tine::wire {

namespace {

using nlohmann::json;

std::string text_of_other(const json& value) {
  if (!value.is_binary()) {
    const auto number = value.get<double>();
    const char* const infinity = number > 0 ? v8::infinity : v8::minus_infinity;
    return json{{v8::number_key, std::isnan(number) ? v8::not_a_number : infinity}}.dump();
  }
  const json::binary_t& bytes = value.get_binary();
  json tagged{{v8::binary_key, base::to_base64(bytes)}};
  if (bytes.has_subtype()) tagged[v8::subtype_key] = bytes.subtype();
  return tagged.dump();
}

}  // namespace

// Nothing can keep a value from being written that could be read.
std::string json_text(const json& value) {
  base::ByteBuffer text;
  write_json(value, std::numeric_limits<std::size_t>::max(), text, text_of_other);
  return std::string(text.view());
}

}  // namespace tine::wire
