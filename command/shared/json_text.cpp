#include "command/shared/json_text.hpp"

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace tine::command {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

std::string base64(const std::vector<std::uint8_t>& bytes) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](std::size_t at) -> std::uint32_t {
      return at < bytes.size() ? bytes[at] : 0;
    };
    const std::uint32_t three = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    for (const int shift : {18, 12, 6, 0}) out += digits[three >> shift & 63];
  }
  const std::size_t missing = (3 - bytes.size() % 3) % 3;
  return out.replace(out.size() - missing, missing, missing, '=');
}

ordered_json binary_as_text(const json::binary_t& binary) {
  ordered_json made{{"$binary", base64(binary)}};
  if (binary.has_subtype()) made["subtype"] = binary.subtype();
  return made;
}

ordered_json number_as_text(double number) {
  if (std::isfinite(number)) return number;
  const char* const name = std::isnan(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity";
  return {{"$number", name}};
}

}  // namespace

ordered_json as_text(const json& value) {
  if (value.is_binary()) return binary_as_text(value.get_binary());
  if (value.is_number_float()) return number_as_text(value.get<double>());
  if (value.is_array()) {
    ordered_json made = ordered_json::array();
    for (const json& item : value) made.push_back(as_text(item));
    return made;
  }
  if (!value.is_object()) return value;
  ordered_json made = ordered_json::object();
  for (const auto& [name, member] : value.items()) made[name] = as_text(member);
  return made;
}

}  // namespace tine::command
