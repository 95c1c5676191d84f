// A value of each type, as Node 26 writes it, and what it is read as.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

struct V8Sample {
  std::string bytes;
  nlohmann::json value;
};

inline nlohmann::json binary(const std::string& bytes) {
  return nlohmann::json::binary({bytes.begin(), bytes.end()});
}

inline nlohmann::json binary(const std::string& bytes, std::uint64_t subtype) {
  return nlohmann::json::binary({bytes.begin(), bytes.end()}, subtype);
}

inline std::vector<V8Sample> v8_primitives() {
  using namespace std::string_literals;
  using namespace nlohmann::literals;
  using Limits = std::numeric_limits<double>;
  return {
      {"_", R"({"$undefined":true})"_json},
      {"0", nullptr},
      {"T", true},
      {"F", false},
      {"I\0"s, "0"_json},
      {"I\x02", "1"_json},
      {"I\x05", -3},
      {"I\xFF\xFF\xFF\xFF\x0F", -2'147'483'648},
      {"N\0\0\0\0\0\0\xE0\x41"s, "2147483648"_json},
      {"N\xFF\xFF\xFF\xFF\xFF\xFF\x3F\x43", "9007199254740991"_json},
      {"N\xFF\xFF\xFF\xFF\xFF\xFF\x3F\xC3", -9'007'199'254'740'991},
      {"N\0\0\0\0\0\0\x40\x43"s, 9'007'199'254'740'992.0},
      {"N\0\0\0\0\0\0\xF8\x3F"s, 1.5},
      {"N\0\0\0\0\0\0\0\x80"s, -0.0},
      {"N\0\0\0\0\0\0\xF0\x7F"s, Limits::infinity()},
      {"N\0\0\0\0\0\0\xF0\xFF"s, -Limits::infinity()},
      {"Z\x10\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", "18446744073709551615"_json},
      {"Z\x11\0\0\0\0\0\0\0\x80"s, std::numeric_limits<std::int64_t>::min()},
      {"Z \0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0"s, R"({"$bigint":"0x10000000000000000"})"_json},
      {"Z\x11\x01\0\0\0\0\0\0\x80"s, R"({"$bigint":"-0x8000000000000001"})"_json},
      {"\"\0"s, ""},
      {"\"\x05hello", "hello"},
      {"\"\x03z\xE9\0"s, "z\u00E9\0"s},
      {"c\x04\xE5\x65\x2C\x67", "\u65E5\u672C"},
      {"c\x06\x3D\xD8\0\xDE!\0"s, "\U0001F600!"},
  };
}

inline std::vector<V8Sample> v8_bytes_objects() {
  using namespace std::string_literals;
  return {
      {"\\\0\x0A\x02hi"s, binary("hi")},
      {"\\\0\x0A\0"s, binary("")},
      {"\\\0\x01\x02\x01\xFF"s, binary("\x01\xFF", 1)},
      {"\\\0\x08\x08\0\0\0\0\0\0\xF8\x3F"s, binary("\0\0\0\0\0\0\xF8\x3F"s, 8)},
      {"\\\0\x09\0"s, binary("", 9)},
      {"\\\0\x0D\x02\0\x3E"s, binary("\0\x3E"s, 13)},
      {"B\x03\x01\x02\x03", binary("\x01\x02\x03", 32)},
      {"~\x02\x08\x01\x02", {{"$resizable", binary("\x01\x02", 32)}, {"maxByteLength", 8U}}},
  };
}

inline std::vector<V8Sample> v8_leaf_objects() {
  using namespace std::string_literals;
  using namespace nlohmann::literals;
  return {
      {"D\0\0\0\0\0\x88\xC3\x40"s, R"({"$date":10000})"_json},
      {"D\0\0\0\0\0\0\x14\xC0"s, R"({"$date":-5})"_json},
      {"D\0\0\0\0\0\0\xF8\x7F"s, R"({"$date":null})"_json},
      {"R\"\x02\x61+\x83\x01", R"({"$regexp":"a+","flags":"gid"})"_json},
      {"y", R"({"$boxed":true})"_json},
      {"x", R"({"$boxed":false})"_json},
      {"n\0\0\0\0\0\0\x14\x40"s, R"({"$boxed":5})"_json},
      {"s\"\x01\x61", R"({"$boxed":"a"})"_json},
      {"z\x10\x05\0\0\0\0\0\0\0"s, R"({"$boxed":{"$bigint":"0x5"}})"_json},
      {"r.", R"({"$error":"Error"})"_json},
      {"rTm\"\x03\x62\x61\x64s\"\x02stcI\x02.",
       R"({"$error":"TypeError","message":"bad","stack":"st","cause":1})"_json},
  };
}

inline std::vector<V8Sample> v8_containers() {
  using namespace std::string_literals;
  using namespace nlohmann::literals;
  return {
      {"o{\0"s, "{}"_json},
      {"o\"\x01\x61I\x02\"\x01\x62o\"\x01\x63_{\x01{\x02",
       R"({"a":1,"b":{"c":{"$undefined":true}}})"_json},
      {"oI\x02I\x04N\0\0\0\xC0\x0B\x5A\xE6\x41T\"\x01z"
       "F{\x03"s,
       R"({"1":2,"3000000000":true,"z":false})"_json},
      {"A\0$\0\0"s, "[]"_json},
      {"A\x03I\x02\"\x01xA\x01T$\0\x01$\0\x03"s, R"([1,"x",[true]])"_json},
      {"a\x03I\0I\x02I\x02I\x04I\x04I\x06@\x03\x03"s, "[1,2,3]"_json},
      {"a\x03I\0I\x02I\x04I\x06@\x02\x03"s, R"({"$array":{"0":1,"2":3},"length":3})"_json},
      {"a\x03I\x04I\x06@\x01\x03"s, R"({"$array":{"2":3},"length":3})"_json},
      {"a\x02I\0I\x02@\x01\x02"s, R"({"$array":{"0":1},"length":2})"_json},
      {"a\xFF\xFF\xFF\xFF\x0F@\0\xFF\xFF\xFF\xFF\x0F"s,
       R"({"$array":{},"length":4294967295})"_json},
      {"A\x01T\"\x01xF$\x01\x01", R"({"$array":{"0":true,"x":false},"length":1})"_json},
      {"A\x03T-T$\0\x03"s, R"({"$array":{"0":true,"2":true},"length":3})"_json},
      {";:\0"s, R"({"$map":[]})"_json},
      {";I\x02;\"\x01\x61;:\0:\x02o{\0A\0$\0\0:\x04"s,
       R"({"$map":[[1,{"$map":[["a",{"$map":[]}]]}],[{},[]]]})"_json},
      {"',\0"s, R"({"$set":[]})"_json},
      {"'I\x02\"\x01\x31o{\0,\x03"s, R"({"$set":[1,"1",{}]})"_json},
      {"\\\x01o\"\x01\x61I\x02{\x01", R"({"a":1})"_json},
      {"o\"\x01nI\x02\"\x04self^\0{\x02"s, R"({"n":1,"self":{"$ref":"1"}})"_json},
      {"A\x02o\"\x01xI\x02{\x01^\x01$\0\x02"s, R"([{"x":1},{"$ref":"1/0"}])"_json},
      {"o\"\x05$dateI\x02{\x01", R"({"$escape":{"$date":1}})"_json},
      {"o\"\x07$binary\"\x04QQ=={\x01", R"({"$escape":{"$binary":"QQ=="}})"_json},
      {"o\"\x07$number\"\x03NaN{\x01", R"({"$escape":{"$number":"NaN"}})"_json},
  };
}

inline std::vector<V8Sample> v8_samples() {
  std::vector<V8Sample> samples;
  for (auto& group : {v8_primitives(), v8_bytes_objects(), v8_leaf_objects(), v8_containers()}) {
    samples.insert(samples.end(), group.begin(), group.end());
  }
  return samples;
}
