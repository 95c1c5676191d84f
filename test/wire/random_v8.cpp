#include "wire/random_v8.hpp"

#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

using nlohmann::json;

namespace {

constexpr std::size_t deepest = 4;
constexpr double max_safe_integer = 9'007'199'254'740'991;
constexpr std::size_t array_buffer = 32;

json tagged(const char* key, json value) {
  json object = json::object();
  object[key] = std::move(value);
  return object;
}

bool is_safe_integer(double number) {
  return std::trunc(number) == number && std::abs(number) <= max_safe_integer;
}

}  // namespace

json RandomV8::value(std::size_t depth) {
  return depth < deepest && below(3) != 0 ? container(depth + 1) : leaf();
}

json RandomV8::leaf() {
  switch (below(14)) {
    case 0: return nullptr;
    case 1: return below(2) == 0;
    case 2:
    case 3: return number();
    case 4: return integer();
    case 5: return bigint();
    case 6:
    case 7:
    case 8: return text();
    case 9: return tagged("$undefined", true);
    case 10: return tagged("$date", static_cast<std::uint64_t>(below(8'640'000'000'000'001)));
    case 11: return boxed();
    case 12: return bytes();
    default: return regexp();
  }
}

json RandomV8::number() {
  constexpr std::array special{-0.0,
                               5e-324,
                               1.5,
                               9'007'199'254'740'992.0,
                               1e300,
                               std::numeric_limits<double>::infinity(),
                               -std::numeric_limits<double>::infinity()};
  if (below(4) == 0) return special[below(special.size())];
  const std::uint64_t bits = random_();
  double number = 0;
  std::memcpy(&number, &bits, sizeof(number));
  return std::isnan(number) || is_safe_integer(number) ? 0.5 : number;
}

json RandomV8::integer() {
  const std::uint64_t number = random_() >> below(64);
  if (below(2) == 0) return number;
  const auto half = static_cast<std::int64_t>(number >> 1);
  return half == 0 ? json(std::uint64_t{0}) : json(-half);
}

json RandomV8::bigint() {
  std::string digits = "10000000000000000";
  for (std::size_t n = below(40); n > 0; --n) digits += "0123456789abcdef"[below(16)];
  return tagged("$bigint", (below(2) == 0 ? "0x" : "-0x") + digits);
}

json RandomV8::boxed() {
  switch (below(4)) {
    case 0: return tagged("$boxed", below(2) == 0);
    case 1: return tagged("$boxed", text());
    case 2: return tagged("$boxed", below(2) == 0 ? number() : json(std::uint64_t{below(1000)}));
    default: return tagged("$boxed", below(2) == 0 ? bigint() : tagged("$bigint", "-0x5"));
  }
}

json RandomV8::bytes() {
  constexpr std::size_t types = 13;  // Float16Array is in newer Nodes only
  constexpr std::size_t whole_elements = 8;
  constexpr std::size_t buffer = 10;
  std::vector<std::uint8_t> bytes(below(5) * whole_elements);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random_());
  const std::size_t type = below(types + 1);
  if (type == buffer) return json::binary(std::move(bytes));
  return json::binary(std::move(bytes), type == types ? array_buffer : type);
}

json RandomV8::regexp() {
  constexpr std::array sources{"a", "(?:)", "a\\/b", "[0-9]+", "\u00E9", "^x|y$"};
  constexpr std::array flags{"", "g", "gi", "m", "y", "u", "sd", "gimyusd", "v"};
  json value = tagged("$regexp", sources[below(sources.size())]);
  value["flags"] = flags[below(flags.size() - (for_node_18_ ? 1 : 0))];
  return value;
}

json RandomV8::container(std::size_t depth) {
  switch (below(10)) {
    case 0:
    case 1:
    case 2: return object(depth);
    case 3:
    case 4: return array(depth);
    case 5: return sparse_array(depth);
    case 6: return map(depth);
    case 7: return set(depth);
    case 8: return error(depth);
    default: return for_node_18_ ? array(depth) : resizable();
  }
}

json RandomV8::object(std::size_t depth) {
  json object = json::object();
  for (std::size_t n = below(5); n > 0; --n) object[key()] = value(depth);
  // As values that would have a meaning: these exactly do, all others of a '$' do not.
  if (below(8) == 0) return tagged("$escape", tagged("$set", array(depth)));
  if (below(8) == 0) return tagged("$escape", tagged("$date", nullptr));
  if (below(8) == 0) object["$date"] = value(depth);
  if (object.size() == 1 && object.contains("$date")) object["more"] = true;
  return object;
}

json RandomV8::array(std::size_t depth) {
  json array = json::array();
  for (std::size_t n = below(6); n > 0; --n) array.push_back(value(depth));
  return array;
}

json RandomV8::sparse_array(std::size_t depth) {
  const std::size_t length = 1 + below(below(4) == 0 ? 4'294'967'295 : 12);
  json members = json::object();
  for (std::size_t n = below(4); n > 0; --n) {
    const std::size_t index = below(length);
    if (index != 0) members[std::to_string(index)] = value(depth);  // the first one is a hole
  }
  if (below(2) == 0) members["p" + key()] = value(depth);
  json sparse = tagged("$array", std::move(members));
  sparse["length"] = length;
  return sparse;
}

json RandomV8::map(std::size_t depth) {
  json pairs = json::array();
  for (std::size_t n = below(4); n > 0; --n) {
    pairs.push_back(json::array({unique(depth), value(depth)}));
  }
  return tagged("$map", std::move(pairs));
}

json RandomV8::set(std::size_t depth) {
  json values = json::array();
  for (std::size_t n = below(4); n > 0; --n) values.push_back(unique(depth));
  return tagged("$set", std::move(values));
}

json RandomV8::error(std::size_t depth) {
  constexpr std::array names{"Error",       "EvalError", "RangeError", "ReferenceError",
                             "SyntaxError", "TypeError", "URIError"};
  json error = tagged("$error", names[below(names.size())]);
  if (below(4) != 0) error["message"] = text();
  if (below(4) != 0) error["stack"] = text();
  if (below(2) == 0) error["cause"] = value(depth);
  return error;
}

json RandomV8::resizable() {
  const std::vector<std::uint8_t> bytes(below(10), static_cast<std::uint8_t>(below(256)));
  json value = tagged("$resizable", json::binary(bytes, array_buffer));
  value["maxByteLength"] = bytes.size() + below(10);
  return value;
}

json RandomV8::unique(std::size_t depth) {
  const std::uint64_t number = ++last_unique_;
  switch (below(4)) {
    case 0: return number;
    case 1: return "unique " + std::to_string(number);
    case 2: return array(depth);
    default: return object(depth);
  }
}

std::string RandomV8::text() {
  constexpr std::array pieces{"a",
                              "bc",
                              "0",
                              "$",
                              "/",
                              "~",
                              "\u00E9",
                              "\u65E5\u672C",
                              "\U0001F600",
                              " ",
                              "\u007F",
                              "\u0080",
                              "\uFFFD",
                              "\uFEFF",
                              "long text of ASCII"};
  std::string text;
  for (std::size_t n = below(4) == 0 ? below(30) : below(4); n > 0; --n) {
    text += pieces[below(pieces.size())];
  }
  if (below(16) == 0) text += '\0';
  return text;
}

std::string RandomV8::key() {
  constexpr std::array keys{"",           "__proto__",   "0",      "1",          "17",
                            "4294967294", "4294967295",  "-1",     "9999999999", "01",
                            "$",          "constructor", "\u00E9", "toJSON"};
  return below(3) == 0 ? keys[below(keys.size())] : text();
}
