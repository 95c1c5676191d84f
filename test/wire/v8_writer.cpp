#include "wire/v8_writer.hpp"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/byte_buffer.hpp"
#include "support/catch.hpp"
#include "wire/nested.hpp"
#include "wire/random_json.hpp"
#include "wire/v8_message.hpp"
#include "wire/v8_samples.hpp"

using namespace std::string_literals;
using namespace nlohmann::literals;
using nlohmann::json;
using tine::base::ByteBuffer;
using tine::wire::V8Writer;

namespace {

// Returns whether Node writes a sample in another form than tine, which reads the same.
bool is_written_otherwise(const V8Sample& sample) {
  const bool has_number_key = sample.value.is_object() && sample.bytes.find("oI") == 0;
  const char tag = sample.bytes[0];
  return has_number_key || tag == 'c' || tag == 'a' || tag == 'A' || tag == '\\' ||
         sample.bytes.find('\xE9') != std::string::npos;
}

const std::string zero = "\0"s;

}  // namespace

TEST_CASE("v8 writer: writes every kind of value so that it is read as it was", "[wire]") {
  for (const V8Sample& sample : v8_samples()) {
    CAPTURE(tine::wire::excerpt(sample.bytes, 0));
    const std::string bytes = v8_bytes(sample.value);
    CHECK(same(v8_value(bytes), sample.value));
    if (!is_written_otherwise(sample)) CHECK(bytes == sample.bytes);
  }
}

TEST_CASE("v8 writer: writes the header of version 15", "[wire]") {
  ByteBuffer out;
  CHECK_FALSE(V8Writer(default_depth).write(true, out).has_value());
  CHECK(out.view() == "\xFF\x0FT");
}

TEST_CASE("v8 writer: writes integers as Numbers, and as BigInts where a Number is too small",
          "[wire]") {
  CHECK(v8_bytes(0) == "I" + zero);
  CHECK(v8_bytes(64) == "I\x80\x01");
  CHECK(v8_bytes(std::numeric_limits<std::int32_t>::min()) == "I\xFF\xFF\xFF\xFF\x0F");
  CHECK(v8_bytes(std::numeric_limits<std::int32_t>::max()) == "I\xFE\xFF\xFF\xFF\x0F");
  CHECK(v8_bytes(2'147'483'648) == "N\0\0\0\0\0\0\xE0\x41"s);
  CHECK(v8_bytes(9'007'199'254'740'991) == "N\xFF\xFF\xFF\xFF\xFF\xFF\x3F\x43");
  CHECK(v8_bytes(9'007'199'254'740'992) == "Z\x10\0\0\0\0\0\0\x20\0"s);
  CHECK(v8_bytes(-9'007'199'254'740'991) == "N\xFF\xFF\xFF\xFF\xFF\xFF\x3F\xC3");
  CHECK(v8_bytes(-9'007'199'254'740'992) == "Z\x11\0\0\0\0\0\0\x20\0"s);
  CHECK(v8_bytes(std::numeric_limits<std::int64_t>::min()) == "Z\x11\0\0\0\0\0\0\0\x80"s);
  CHECK(v8_bytes(std::numeric_limits<std::uint64_t>::max()) == "Z\x10" + std::string(8, '\xFF'));
  CHECK(v8_bytes(9'007'199'254'740'992.0) == "N\0\0\0\0\0\0\x40\x43"s);
  CHECK(v8_bytes(1.0) == "N\0\0\0\0\0\0\xF0\x3F"s);
}

TEST_CASE("v8 writer: writes every NaN as the one that V8 knows", "[wire]") {
  double other = 0;
  const std::uint64_t bits = 0xFFF8'0000'0000'0001;
  std::memcpy(&other, &bits, sizeof(other));
  CHECK(v8_bytes(other) == "N\0\0\0\0\0\0\xF8\x7F"s);
  CHECK(v8_bytes(std::nan("")) == "N\0\0\0\0\0\0\xF8\x7F"s);
}

TEST_CASE("v8 writer: writes BigInts of any size", "[wire]") {
  CHECK(v8_bytes({{"$bigint", "0x0"}}) == "Z" + zero);
  CHECK(v8_bytes({{"$bigint", "-0x0"}}) == "Z" + zero);
  CHECK(v8_bytes({{"$bigint", "0x00000000000000000005"}}) == "Z\x10\x05\0\0\0\0\0\0\0"s);
  CHECK(v8_bytes({{"$bigint", "-0xABCDEF"}}) == "Z\x11\xEF\xCD\xAB\0\0\0\0\0"s);
  CHECK(v8_bytes({{"$bigint", "0x1ffffffffffffffff"}}) ==
        "Z " + std::string(8, '\xFF') + "\x01" + std::string(7, '\0'));
}

TEST_CASE("v8 writer: writes strings as Latin-1 if they are ASCII, else as UTF-8", "[wire]") {
  CHECK(v8_bytes("") == "\"" + zero);
  for (std::size_t size = 0; size < 40; ++size) {
    std::string text(size, 'x');
    CHECK(v8_bytes(text) == "\""s + static_cast<char>(size) + text);
    for (std::size_t at = 0; at + 2 <= size; ++at) {
      std::string other = text;
      other.replace(at, 2, "\u00E9");
      REQUIRE(v8_bytes(other) == "S"s + static_cast<char>(size) + other);
      other.replace(at, 2, "\xC3x");
      REQUIRE(v8_problem(other) == "a string is not valid UTF-8");
    }
  }
  CHECK(v8_bytes({{"\u00E9", 1}}) == "oS\x02\u00E9I\x02{\x01");
}

TEST_CASE("v8 writer: writes binary as a Buffer, or as what its subtype says", "[wire]") {
  CHECK(v8_bytes(binary("hi")) == "\\\0\x0A\x02hi"s);
  CHECK(v8_bytes(binary("hi", 10)) == "\\\0\x0A\x02hi"s);
  CHECK(v8_bytes(binary("hi", 5 - 2)) == "\\\0\x03\x02hi"s);
  CHECK(v8_bytes(binary("hi", 32)) == "B\x02hi");
  CHECK(v8_problem(binary("hi", 14)) == "a binary value whose subtype is none of JavaScript");
  CHECK(v8_problem(binary("hi", 8)) == "a view does not end within an element");
}

TEST_CASE("v8 writer: takes an object for itself, unless it is exactly one with a meaning",
          "[wire]") {
  for (const json& plain : {R"({"$date":"2020"})"_json,
                            R"({"$date":1,"x":1})"_json,
                            R"({"$set":{"a":1}})"_json,
                            R"({"$map":[[1]]})"_json,
                            R"({"$map":[1]})"_json,
                            R"({"$bigint":"5"})"_json,
                            R"({"$bigint":"0x"})"_json,
                            R"({"$bigint":"0xg"})"_json,
                            R"({"$regexp":"a"})"_json,
                            R"({"$error":"MyError"})"_json,
                            R"({"$undefined":false})"_json,
                            R"({"$error":"Error","code":1})"_json,
                            R"({"$error":"Error","message":1})"_json,
                            R"({"$array":{},"length":-1})"_json,
                            R"({"$array":[],"length":1})"_json,
                            R"({"$boxed":null})"_json,
                            R"({"$boxed":{}})"_json,
                            R"({"$escape":1})"_json,
                            R"({"$resizable":1,"maxByteLength":1})"_json,
                            R"({"$binary":"aGk"})"_json,
                            R"({"$binary":1})"_json,
                            R"({"$binary":"aGk=","subtype":-1})"_json,
                            R"({"$binary":"aGk=","subtype":3.5})"_json,
                            R"({"$binary":"aGk=","subtype":-0.0})"_json,
                            R"({"$binary":"aGk=","x":1})"_json,
                            R"({"$number":"nan"})"_json,
                            R"({"$number":1})"_json,
                            R"({"$unknown":1})"_json}) {
    CAPTURE(plain);
    const std::string bytes = v8_bytes(plain);
    CHECK(bytes[0] == 'o');
    CHECK(v8_value(bytes) == plain);
  }
}

TEST_CASE("v8 writer: writes the objects of JSON text as the values that they are", "[wire]") {
  CHECK(v8_bytes(R"({"$binary":"aGk="})"_json) == "\\\0\x0A\x02hi"s);
  CHECK(v8_bytes(R"({"$binary":"aGk=","subtype":3})"_json) == "\\\0\x03\x02hi"s);
  CHECK(v8_bytes(R"({"$binary":"aGk=","subtype":3.0})"_json) == "\\\0\x03\x02hi"s);
  CHECK(v8_bytes(R"({"$binary":"aGk=","subtype":32})"_json) == "B\x02hi");
  CHECK(v8_problem(R"([{"$binary":"aGk=","subtype":14}])"_json) ==
        "a binary value whose subtype is none of JavaScript, at /0");
  CHECK(v8_bytes(R"({"$resizable":{"$binary":"aGk=","subtype":32},"maxByteLength":3})"_json) ==
        "~\x02\x03hi");
  CHECK(v8_bytes(R"({"$resizable":{"$binary":"aGk="},"maxByteLength":3})"_json)[0] == 'o');
  CHECK(v8_bytes(R"({"$number":"NaN"})"_json) == "N\0\0\0\0\0\0\xF8\x7F"s);
  CHECK(v8_bytes(R"({"$number":"Infinity"})"_json) == "N\0\0\0\0\0\0\xF0\x7F"s);
  CHECK(v8_bytes(R"({"$number":"-Infinity"})"_json) == "N\0\0\0\0\0\0\xF0\xFF"s);
  CHECK(v8_bytes(R"({"$boxed":{"$number":"Infinity"}})"_json) == "n\0\0\0\0\0\0\xF0\x7F"s);
  CHECK(v8_bytes(R"([{"$binary":""},{"$ref":"1/0"}])"_json) == "A\x02\\\0\x0A\0^\x01$\0\x02"s);
  CHECK(v8_problem(R"([{"$number":"NaN"},{"$ref":"1/0"}])"_json) ==
        "a $ref that names no object, at /1");
}

TEST_CASE("v8 writer: writes what an escape has in it as a plain object", "[wire]") {
  CHECK(v8_bytes(R"({"$escape":{"$date":1}})"_json) == "o\"\x05$dateI\x02{\x01");
  CHECK(v8_bytes(R"({"$escape":{"a":{"$set":[]}}})"_json) == "o\"\x01\x61',\0{\x01"s);
  CHECK(v8_bytes(R"({"$escape":{"$escape":{}}})"_json) == "o\"\x07$escapeo{\0{\x01"s);
}

TEST_CASE("v8 writer: writes an object once, and then its number", "[wire]") {
  CHECK(v8_bytes(R"([{"x":1},{"$ref":"1/0"}])"_json) == "A\x02o\"\x01xI\x02{\x01^\x01$\0\x02"s);
  CHECK(v8_bytes(R"({"a":{"$ref":"1"}})"_json) == "o\"\x01\x61^\0{\x01"s);
  CHECK(v8_bytes({binary("x"), {{"$ref", "1/0"}}}) == "A\x02\\\0\x0A\x01x^\x01$\0\x02"s);
  CHECK(v8_bytes(R"([{"$date":0},{"$boxed":1},{"$ref":"1/1"}])"_json) ==
        "A\x03"s + "D\0\0\0\0\0\0\0\0n\0\0\0\0\0\0\xF0\x3F^\x02$\0\x03"s);
}

TEST_CASE("v8 writer: counts the levels that a reference leads up in the value, with its tags",
          "[wire]") {
  for (const auto& [value, number] : {std::pair(R"([{"$map":[[{},{"$ref":"1/0"}]]}])", 2),
                                      {R"([{"$map":[[1,{}],[{"$ref":"2/0/1"},1]]}])", 2},
                                      {R"([{"$map":[[1,{"$ref":"3"}]]}])", 1},
                                      {R"([{"$map":[[1,{"$ref":"4"}]]}])", 0},
                                      {R"([{"$set":[{},{"$ref":"1/0"}]}])", 2},
                                      {R"([{"$set":[{"$ref":"2"}]}])", 1},
                                      {R"([{"$set":[{"$ref":"3"}]}])", 0},
                                      {R"([{"$array":{"0":{"$ref":"2"}},"length":2}])", 1},
                                      {R"([{"$array":{"0":[],"1":{"$ref":"1/0"}},"length":2}])", 2},
                                      {R"([{"$escape":{"$set":{"$ref":"2"}}}])", 1},
                                      {R"([{"$escape":{"$set":{"$ref":"3"}}}])", 0},
                                      {R"([{"$error":"Error","cause":{"$ref":"1"}}])", 1},
                                      {R"([{"$error":"Error","cause":{"$ref":"2"}}])", 0}}) {
    CAPTURE(value);
    CHECK(v8_bytes(json::parse(value)).find("^"s + static_cast<char>(number)) != std::string::npos);
  }
}

TEST_CASE("v8 writer: takes only a way up, or up and then down, for a reference", "[wire]") {
  for (const char* text : {"", "/a", "#/a", "0", "0/a", "00", "01/a", "1#", "1a", "1+1/a", "-1/a",
                           "+1/a", " 1", "1 ", "x1/a"}) {
    CAPTURE(text);
    const json plain{{"a", json::object()}, {"b", {{"$ref", text}}}};
    CHECK(v8_value(v8_bytes(plain)) == plain);
  }
  CHECK(v8_problem(R"([{"$ref":"99999999999999999999999999/a"}])"_json) ==
        "a $ref that names nothing, at /0");
}

TEST_CASE("v8 writer: writes an object where it is first met, when that is a reference", "[wire]") {
  CHECK(v8_bytes(R"({"a":{"$ref":"1/b"},"b":{"x":1},"c":[{"$ref":"2/b"}]})"_json) ==
        "o\"\x01\x61o\"\x01xI\x02{\x01\"\x01\x62^\x01\"\x01\x63\x41\x01^\x01$\0\x01{\x03"s);
  CHECK(v8_value(v8_bytes(R"({"a":{"$ref":"1/b"},"b":{"a~/":{"$ref":"2/b"}}})"_json)) ==
        R"({"a":{"a~/":{"$ref":"1"}},"b":{"$ref":"1/a"}})"_json);
}

TEST_CASE("v8 writer: follows a reference from its own place, when its object is written elsewhere",
          "[wire]") {
  // Is read as the object /b/o in which `next` is /c, wherever /b/o is first met.
  CHECK(v8_value(v8_bytes(
            R"({"a":[[{"$ref":"3/b/o"}]],"b":{"o":{"next":{"$ref":"3/c"}}},"c":{"x":1}})"_json)) ==
        R"({"a":[[{"next":{"x":1}}]],"b":{"o":{"$ref":"2/a/0/0"}},
            "c":{"$ref":"1/a/0/0/next"}})"_json);
}

TEST_CASE("v8 writer: takes what is in {\"$escape\":…} or {\"$array\":…} for no reference",
          "[wire]") {
  for (const json& value :
       {R"({"a":{"$escape":{"$ref":"9/a"}},"b":[[],{"$ref":"1/0"}]})"_json,
        R"({"a":{"$array":{"$ref":"9/a"},"length":1},"b":[[],{"$ref":"1/0"}]})"_json}) {
    CHECK(v8_value(v8_bytes(value)) == value);
  }
}

TEST_CASE("v8 writer: refuses a reference, when it names no object", "[wire]") {
  CHECK(v8_problem(R"([{"$ref":"1/1"}])"_json) == "a $ref that names nothing, at /0");
  CHECK(v8_problem(R"([[{"$ref":"3"}]])"_json) == "a $ref that names nothing, at /0/0");
  CHECK(v8_problem(R"({"a":[{"$ref":"2/a/00"}]})"_json) == "a $ref that names nothing, at /a/0");
  CHECK(v8_problem(R"({"a":{"$ref":"1/b/c"},"b":1})"_json) == "a $ref that names nothing, at /a");
  CHECK(v8_problem(R"([1,{"$ref":"1/0"}])"_json) == "a $ref that names no object, at /1");
  CHECK(v8_problem(R"([{"$undefined":true},{"$ref":"1/0"}])"_json) ==
        "a $ref that names no object, at /1");
  CHECK(v8_problem(R"([{"$ref":"1/1"},{"$ref":"1/0"}])"_json) ==
        "a $ref that names no object, at /0");
  CHECK(v8_problem(R"([{"$ref":"1/0"}])"_json) == "a $ref that names no object, at /0");
  CHECK(v8_problem(R"({"$ref":"1"})"_json) == "a $ref that names nothing");
}

TEST_CASE("v8 writer: refuses what is no value of JavaScript, with the path to it", "[wire]") {
  CHECK(v8_problem(R"({"a":[0,{"$date":1.5}]})"_json) ==
        "a Date is a whole number of milliseconds, at most 8.64e15 from 1970, at /a/1");
  CHECK(v8_problem(R"({"$date":8640000000000001})"_json).starts_with("a Date is"));
  CHECK(v8_problem({{"$date", std::nan("")}}).starts_with("a Date is"));
  CHECK(v8_problem(R"([{"$regexp":"a","flags":"gx"}])"_json) == "a RegExp has no such flag, at /0");
  CHECK(v8_problem({{"$regexp", "\xFF"}, {"flags", ""}}) == "a string is not valid UTF-8");
  CHECK(v8_problem(R"({"$map":[["k",{"$array":{"3":1},"length":3}]]})"_json) ==
        "an array has no element behind its end, at /$map/0/1");
  CHECK(v8_problem(R"({"$array":{},"length":4294967296})"_json) ==
        "an array has a length below 2^32");
  CHECK(v8_problem({{"$boxed", std::int64_t{1} << 60}}).starts_with("a Number object does not"));
  CHECK(v8_problem({{"$resizable", binary("xy", 32)}, {"maxByteLength", 1}})
            .starts_with("an ArrayBuffer is no longer"));
  CHECK(v8_problem({{"$set", {1, {{"$escape", {{"a/b", binary("x", 99)}}}}}}}) ==
        "a binary value whose subtype is none of JavaScript, at /$set/1/$escape/a~1b");
  CHECK(v8_problem({{"a", json(json::value_t::discarded)}}) ==
        "a value was discarded by a parser callback, at /a");
}

TEST_CASE("v8 writer: refuses text that is not UTF-8, with the path to it", "[wire]") {
  CHECK(v8_problem({{"a", {1, "\xFF"}}}) == "a string is not valid UTF-8, at /a/1");
  CHECK(v8_problem({{"a", {{"\xFF", 1}}}}) == "a key is not valid UTF-8, at /a");
  CHECK(v8_problem({{"a", {{"$error", "Error"}, {"stack", "\xFF"}}}}) ==
        "a string is not valid UTF-8, at /a");
  CHECK(v8_problem({{"$error", "Error"}, {"cause", "\xFF"}}) ==
        "a string is not valid UTF-8, at /cause");
}

TEST_CASE("v8 writer: shortens a path, when it is long, between characters", "[wire]") {
  const std::string key = "a" + std::string(99, '\xC3');
  std::string text;
  for (int i = 0; i < 100; ++i) text += "\u00E9";
  const std::string problem = v8_problem({{text, "\xFF"}});
  CHECK(problem == "a string is not valid UTF-8, at /" + text.substr(0, 98) + "\u2026");
  CHECK_NOTHROW(json(problem).dump());
}

TEST_CASE("v8 writer: writes good values, when bad ones came before", "[wire]") {
  V8Writer writer(3);
  ByteBuffer out;
  for (const json& bad :
       {json("\xFF"), json({1, "\xFF"}), nested(4, 1), R"([{"$ref":"1/9"}])"_json}) {
    CHECK(writer.write(bad, out).has_value());
    CHECK(out.size() == 0);
    CHECK_FALSE(writer.write(R"([{},{"$ref":"1/0"}])"_json, out).has_value());
    CHECK(out.view() == v8_message("A\x02o{\0^\x01$\0\x02"s));
    out.truncate(0);
  }
}
