#include "wire/v8_reader.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "support/catch.hpp"
#include "support/scale.hpp"
#include "wire/random_json.hpp"
#include "wire/v8_json.hpp"
#include "wire/v8_message.hpp"
#include "wire/v8_samples.hpp"

using namespace std::string_literals;
using namespace nlohmann::literals;
using nlohmann::json;
using tine::wire::excerpt;
using tine::wire::V8Reader;

namespace {

struct BadMessage {
  std::string value;   // behind the header
  std::size_t offset;  // in the message, which has two bytes of header
  std::string reason;
};

void check_bad(const std::vector<BadMessage>& messages) {
  for (const BadMessage& expected : messages) {
    const std::string message = v8_message(expected.value);
    CAPTURE(excerpt(message, 0));
    const auto bad = read_v8(message).bad;
    REQUIRE(bad.has_value());
    CHECK(bad->offset == expected.offset);
    CHECK(bad->reason == expected.reason);
    CHECK(bad->excerpt == excerpt(message, expected.offset));
  }
}

// Samples, alone or two in an array, with some bytes changed to others or to tags.
class DamagedMessages {
 public:
  explicit DamagedMessages(std::uint64_t seed) : random_(seed) {}

  std::vector<char> next() {
    std::string value = sample();
    if (random_() % 2 == 0) value = "A\x02" + value + sample() + "$\0\x02"s;
    for (std::size_t n = 1 + random_() % 3; n > 0; --n) {
      value[random_() % value.size()] =
          random_() % 2 == 0 ? static_cast<char>(random_()) : sample().front();
    }
    const std::string message = v8_message(value);
    return {message.begin(), message.end()};
  }

 private:
  const std::string& sample() { return samples_[random_() % samples_.size()].bytes; }

  std::mt19937_64 random_;
  std::vector<V8Sample> samples_ = v8_samples();
};

const std::string unknown = "a byte that stands for no value";
const std::string replacement = "\xEF\xBF\xBD";

}  // namespace

TEST_CASE("v8 reader: reads every kind of value, as Node writes it", "[wire]") {
  for (const auto& [bytes, value] : v8_samples()) {
    CAPTURE(excerpt(bytes, 0));
    const json read = v8_value(bytes);
    CHECK(same(read, value));
    CHECK(read.dump() == value.dump());
  }
  CHECK(std::isnan(v8_value("N\0\0\0\0\0\0\xF8\x7F"s).get<double>()));
}

TEST_CASE("v8 reader: reads every kind of value, as a member of each container", "[wire]") {
  for (const auto& [bytes, value] : v8_samples()) {
    if (bytes.find('^') != bytes.npos) continue;  // the number would be another one
    CAPTURE(excerpt(bytes, 0));
    CHECK(same(v8_value("o\"\x01k" + bytes + "\"\x01zT{\x02"), {{"k", value}, {"z", true}}));
    CHECK(same(v8_value("A\x02" + bytes + "T$\0\x02"s), json::array({value, true})));
    CHECK(same(v8_value("A\x02-" + bytes + "$\0\x02"s),
               {{"$array", {{"1", value}}}, {"length", 2U}}));
    CHECK(same(v8_value(";" + bytes + bytes + ":\x02"),
               {{"$map", json::array({json::array({value, value})})}}));
    CHECK(same(v8_value("'T" + bytes + ",\x02"), {{"$set", json::array({true, value})}}));
    CHECK(same(v8_value("rc" + bytes + "."), {{"$error", "Error"}, {"cause", value}}));
  }
}

TEST_CASE("v8 reader: takes versions 13 to 16, and no other", "[wire]") {
  for (const char version : {'\x0D', '\x0E', '\x0F', '\x10'}) {
    CHECK_FALSE(read_v8("\xFF"s + version + "T").bad.has_value());
  }
  CHECK(read_v8("\xFF\x0CT").bad->reason == "version 12 of V8's value format");
  CHECK(read_v8("\xFF\x11T").bad->reason == "version 17 of V8's value format");
  for (const auto& message : {"T"s, "{\"a\":1}"s, "\x02[]"s, ""s}) {
    CAPTURE(message);
    CHECK(read_v8(message).bad->offset == 0);
  }
  CHECK(read_v8("[]").bad->reason == "no header of V8's value format");
}

TEST_CASE("v8 reader: ignores padding, object counts and what follows the value", "[wire]") {
  CHECK(v8_value("\0\0\0T"s) == true);
  CHECK(v8_value("?\x05T") == true);
  CHECK(v8_value("?\x05?\0\0T"s) == true);
  CHECK(v8_value("T rest") == true);
  CHECK(v8_value("o\0\"\x01\x61\0\0c\x02y\0\0{\x01"s) == "{\"a\":\"y\"}"_json);
  CHECK(v8_value("A\x01\0-\0$\0\x01"s) == R"({"$array":{},"length":1})"_json);
}

TEST_CASE("v8 reader: replaces surrogates in a string, when they are alone", "[wire]") {
  CHECK(v8_value("c\x02\x3D\xD8") == replacement);
  CHECK(v8_value("c\x04\0\xDE\x3D\xD8"s) == replacement + replacement);
  CHECK(v8_value("c\x04\x3D\xD8x\0"s) == replacement + "x");
  CHECK(v8_value("c\x06\x3D\xD8\x3D\xD8\0\xDE"s) == replacement + "\U0001F600");
}

TEST_CASE("v8 reader: reads strings in UTF-8, and refuses those that are not", "[wire]") {
  CHECK(v8_value("S\x03\xE6\x97\xA5") == "\u65E5");
  CHECK(v8_value("S\x06\xEF\xBB\xBFxyz") == "\uFEFFxyz");
  constexpr auto reason = "a string is not valid UTF-8";
  check_bad({{"S\x01\xFF", 2, reason}, {"S\x03\xED\xA0\x80", 2, reason}, {"S\x01\xC3", 2, reason}});
}

TEST_CASE("v8 reader: converts each character of Latin-1 and UTF-16", "[wire]") {
  for (unsigned unit = 0; unit < 0x10000; unit = unit < 0x180 ? unit + 1 : unit + 0x61) {
    const bool is_surrogate = unit >= 0xD800 && unit < 0xE000;
    std::array<char, 16> escape{};
    std::snprintf(escape.data(), escape.size(), "\"\\u%04x\"", is_surrogate ? 0xFFFD : unit);
    const json expected = json::parse(escape.data());
    const std::string low(1, static_cast<char>(unit & 0xFF));
    CAPTURE(unit);
    REQUIRE(v8_value("c\x02" + low + static_cast<char>(unit >> 8)) == expected);
    if (unit < 0x100) REQUIRE(v8_value("\"\x01" + low) == expected);
  }
}

TEST_CASE("v8 reader: keeps Numbers that are integers apart from others", "[wire]") {
  CHECK(v8_value("N\0\0\0\0\0\0\x08\x40"s).type() == json::value_t::number_unsigned);
  CHECK(v8_value("N\0\0\0\0\0\0\x08\xC0"s).type() == json::value_t::number_integer);
  CHECK(v8_value("N\0\0\0\0\0\0\0\0"s).type() == json::value_t::number_unsigned);
  CHECK(v8_value("N\0\0\0\0\0\0\0\x80"s).type() == json::value_t::number_float);
  CHECK(v8_value("U\xFF\xFF\xFF\xFF\x0F") == 4'294'967'295U);
}

TEST_CASE("v8 reader: reads BigInts of any size and form", "[wire]") {
  CHECK(v8_value("Z\0"s) == 0);
  CHECK(v8_value("Z\x03\0"s) == 0);
  CHECK(v8_value("Z\x02\x05") == 5);
  CHECK(v8_value("Z\x11\x05\0\0\0\0\0\0\0"s) == -5);
  CHECK(v8_value("Z\x11\0\0\0\0\0\0\0\x80"s) == std::numeric_limits<std::int64_t>::min());
  CHECK(v8_value("Z\x17" + std::string(11, '\xAB')) ==
        R"({"$bigint":"-0xababababababababababab"})"_json);
  CHECK(v8_value("Z\x24" + std::string(17, '\0') + "\x0C") ==
        json({{"$bigint", "0xc" + std::string(34, '0')}}));
}

TEST_CASE("v8 reader: cuts a Date to milliseconds, and one that is out of range is invalid",
          "[wire]") {
  CHECK(v8_value("D\0\0\0\0\0\0\xF8\x3F"s) == R"({"$date":1})"_json);
  CHECK(v8_value("D\0\0\0\0\0\0\0\x80"s) == R"({"$date":0})"_json);
  CHECK(v8_value("D\0\0\0\0\0\0\xF0\x7F"s) == R"({"$date":null})"_json);
  CHECK(v8_value("D\0\0\xDC\xC2\x08\xB2\x3E\x43"s) == R"({"$date":8640000000000000})"_json);
  CHECK(v8_value("D\x01\0\xDC\xC2\x08\xB2\x3E\x43"s) == R"({"$date":null})"_json);
}

TEST_CASE("v8 reader: reads the parts of an Error in any order", "[wire]") {
  CHECK(v8_value("rm\"\x01xs\"\x01yT.") ==
        R"({"$error":"TypeError","message":"x","stack":"y"})"_json);
  CHECK(v8_value("rcI\x02s\"\x01y.") == R"({"$error":"Error","cause":1,"stack":"y"})"_json);
  CHECK(v8_value("rUc^\0."s) == R"({"$error":"URIError","cause":{"$ref":"1"}})"_json);
}

TEST_CASE("v8 reader: takes an element's key for its place, in an array with keys", "[wire]") {
  CHECK(v8_value("a\x02\"\x01\x30T\"\x01\x31\x46@\x02\x02") == "[true,false]"_json);
  CHECK(v8_value("a\x02I\x02TI\0F@\x02\x02"s) ==
        R"({"$array":{"0":false,"1":true},"length":2})"_json);
  CHECK(v8_value("a\x01\"\x02\x30\x30T@\x01\x01") == R"({"$array":{"00":true},"length":1})"_json);
  CHECK(v8_value("a\x01I\x01T@\x01\x01") == R"({"$array":{"-1":true},"length":1})"_json);
  std::string many = "a\x80\x08";
  for (std::size_t i = 0; i < 1024; ++i) {
    many += "U"s + static_cast<char>(i < 128 ? i : (i & 0x7F) | 0x80);
    if (i >= 128) many += static_cast<char>(i >> 7);
    many += "T";
  }
  CHECK(v8_value(many + "@\x80\x08\x80\x08") == json(json::array_t(1024, true)));
}

TEST_CASE("v8 reader: names an object that comes again by the way from there", "[wire]") {
  CHECK(v8_value("o\"\x03\x61/~o{\0\"\x01\x62^\x01{\x02"s) ==
        R"({"a/~":{},"b":{"$ref":"1/a~1~0"}})"_json);
  CHECK(v8_value("A\x05;\"\x01kD\0\0\0\0\0\0\0\0:\x02^\x01'A\0$\0\0,\x01^\x04^\x02$\0\x05"s) ==
        R"([{"$map":[["k",{"$date":0}]]},{"$ref":"1/0"},{"$set":[[]]},{"$ref":"1/2/$set/0"},
            {"$ref":"1/0/$map/0/1"}])"_json);
  CHECK(v8_value("A\x03rcy.\\\0\x0A\0^\x02$\0\x03"s).back() == R"({"$ref":"1/0/cause"})"_json);
  CHECK(v8_value("A\x01o\"\x01\x61o{\0\"\x01\x62\x41\x01^\x02$\0\x01{\x02$\0\x01"s) ==
        R"([{"a":{},"b":[{"$ref":"2/a"}]}])"_json);
  CHECK(v8_value("A\x02o{\0A\x01o\"\x01x^\x01{\x01$\0\x01$\0\x02"s) ==
        R"([{},[{"x":{"$ref":"3/0"}}]])"_json);
}

TEST_CASE("v8 reader: names an object up to what has both places in it, and no further", "[wire]") {
  CHECK(v8_value("';^\0^\1:\2,\1"s) == R"({"$set":[{"$map":[[{"$ref":"5"},{"$ref":"3"}]]}]})"_json);
  CHECK(v8_value("'o{\0^\1^\0,\3"s) == R"({"$set":[{},{"$ref":"1/0"},{"$ref":"2"}]})"_json);
  CHECK(v8_value(";o{\0^\1^\1I\2:\4"s) ==
        R"({"$map":[[{},{"$ref":"1/0"}],[{"$ref":"2/0/0"},1]]})"_json);
  CHECK(v8_value(";o{\0A\1^\1$\0\1A\0$\0\0^\3:\4"s) ==
        R"({"$map":[[{},[{"$ref":"2/0"}]],[[],{"$ref":"1/0"}]]})"_json);
  CHECK(v8_value(";o{\0I\2A\1^\1$\0\1I\2I\2o\"\1a^\2{\1:\6"s) ==
        R"({"$map":[[{},1],[[{"$ref":"3/0/0"}],1],[1,{"a":{"$ref":"3/1/0"}}]]})"_json);
  CHECK(v8_value(";I\2o{\0I\4A\1^\1$\0\1:\4"s) ==
        R"({"$map":[[1,{}],[2,[{"$ref":"3/0/1"}]]]})"_json);
  CHECK(v8_value("rco\"\1ao{\0\"\1eA\2^\0^\2$\0\2{\2."s) ==
        R"({"$error":"Error","cause":{"a":{},"e":[{"$ref":"3"},{"$ref":"2/a"}]}})"_json);
}

TEST_CASE("v8 reader: marks an object that has a meaning in JSON text only", "[wire]") {
  const std::string nan = "N\0\0\0\0\0\0\xF8\x7F"s;
  for (const std::string& in_it : {"\\\0\x0A\x02hi"s, nan}) {
    const json value = v8_value(in_it);
    CAPTURE(tine::wire::json_text(value));
    const std::string escape = "o\"\x07$escape" + in_it + "{\x01";
    const std::string array = "o\"\x06$array" + in_it + "\"\x06lengthI\x02{\x02";
    for (const std::string& bytes : {escape, array}) {
      const json marked = v8_value(bytes);
      REQUIRE(marked.size() == 1);
      CHECK(marked.at("$escape").is_object());
      CHECK(v8_bytes(marked) == bytes);
      CHECK(v8_bytes(json::parse(tine::wire::json_text(marked))) == bytes);
    }
    const std::string other = "o\"\x05$date" + v8_bytes(binary("hi")) + "{\x01";
    CHECK_FALSE(v8_value(other).contains("$escape"));
  }
}

TEST_CASE("v8 reader: names the copy of an object of the runtime that comes again", "[wire]") {
  CHECK(v8_value("A\x02\\\x01o{\0^\x01$\0\x02"s) == R"([{},{"$ref":"1/0"}])"_json);
  CHECK(v8_value("A\x02\\\x01o{\0^\x02$\0\x02"s) == R"([{},{"$ref":"1/0"}])"_json);
  CHECK(v8_value("\\\1o\"\1a^\0\"\1b^\1{\2"s) == R"({"a":{"$ref":"1"},"b":{"$ref":"1"}})"_json);
  CHECK(v8_value("A\1\\\1o\"\1aA\1^\1$\0\1{\1$\0\1"s) == R"([{"a":[{"$ref":"2"}]}])"_json);
  CHECK(v8_value(";\\\1o{\0\\\1o\"\1a^\1{\1:\2"s) ==
        R"({"$map":[[{},{"a":{"$ref":"2/0"}}]]})"_json);
}

TEST_CASE("v8 reader: gives a path that nlohmann follows, from where it leads up to", "[wire]") {
  const json value = v8_value("o\"\x03\x61/~;o{\0A\x01T$\0\x01:\x02\"\x01z^\x03{\x02"s);
  const auto text = value.at("z").at("$ref").get<std::string>();
  REQUIRE(text[0] == '1');
  CHECK(value.at(json::json_pointer(text.substr(1))) == json::array({true}));
}

TEST_CASE("v8 reader: counts the levels of a tag, when it comes around an object later", "[wire]") {
  CHECK(v8_value("A\x04o{\0^\x01-^\0$\0\x04"s) ==
        R"({"$array":{"0":{},"1":{"$ref":"1/0"},"3":{"$ref":"2"}},"length":4})"_json);
  CHECK(v8_value("A\x02o{\0^\x01\"\x01x^\x01$\x01\x02"s) ==
        R"({"$array":{"0":{},"1":{"$ref":"1/0"},"x":{"$ref":"1/0"}},"length":2})"_json);
  CHECK(v8_value("o\"\x04$setA\x02^\0^\x01$\0\x02{\x01"s) ==
        R"({"$escape":{"$set":[{"$ref":"3"},{"$ref":"1"}]}})"_json);
  CHECK(v8_value("A\2A\2^\0-$\0\2^\1\"\1xA\1^\1$\0\1$\1\2"s) ==
        R"({"$array":{"0":{"$array":{"0":{"$ref":"4"}},"length":2},"1":{"$ref":"1/0"},
                      "x":[{"$ref":"2/0"}]},"length":2})"_json);
}

TEST_CASE("v8 reader: gives a part whose references are right in any other value", "[wire]") {
  const json call = v8_value("A\2I\2A\1o\"\1ao\"\1xI\2{\1\"\1b^\3{\2$\0\1$\0\2"s);
  const json part = call.at(1).at(0);
  CHECK(part == R"({"a":{"x":1},"b":{"$ref":"1/a"}})"_json);
  for (const json& moved :
       {part, json({{"answer", part}}), json({{"$set", {1, {{"deep", part}}}}})})
    CHECK(v8_value(v8_bytes(moved)) == moved);
}

TEST_CASE("v8 reader: escapes an object, when it looks like one with a meaning", "[wire]") {
  CHECK(v8_value("o\"\x07$escapeo\"\x05$dateI\x02{\x01{\x01") ==
        R"({"$escape":{"$escape":{"$escape":{"$date":1}}}})"_json);
  CHECK(v8_value("o\"\x07$escape^\0{\x01"s) == R"({"$escape":{"$escape":{"$ref":"2"}}})"_json);
  CHECK(v8_value("o\"\x04$refS\x03\x31/a{\x01") == R"({"$escape":{"$ref":"1/a"}})"_json);
  CHECK(v8_value("o\"\x04$refS\x02/a{\x01") == R"({"$ref":"/a"})"_json);
  CHECK(v8_value("o\"\x04$seto{\0{\x01"s) == R"({"$set":{}})"_json);
  CHECK(v8_value("o\"\x05$dateI\x02\"\x01xI\x02{\x02") == R"({"$date":1,"x":1})"_json);
  CHECK(v8_value("o\"\x06$boxedZ\x12" + std::string(9, '\x01') + "{\x01") ==
        R"({"$escape":{"$boxed":{"$bigint":"0x10101010101010101"}}})"_json);
}

TEST_CASE("v8 reader: refuses a message and tells where, when a value is bad", "[wire]") {
  check_bad(
      {{"!", 2, unknown},
       {"A\x02T!$\0\x02"s, 5, unknown + ", at /1"},
       {"o\"\x01\x61o\"\x01\x62*{\x01{\x01", 10, unknown + ", at /a/b"},
       {";\"\x01kf:\x02", 6, unknown + ", at /$map/0/1"},
       {"'e,\x01", 3, unknown + ", at /$set/0"},
       {"rce.", 4, unknown + ", at /cause"},
       {"-", 2, unknown},
       {"c\x01xT", 2, "a string ends within a character"},
       {"R\"\x01\x61\x80\x04", 2, "a RegExp with an unknown flag"},
       {"RT\0"s, 2, "a string is missing"},
       {"sT", 2, "a string is missing"},
       {"~\x02\x01xx", 2, "an ArrayBuffer that is larger than it may become"},
       {"\\\0\x0E\0"s, 2, "a view of an unknown type"},
       {"\\\0\x08\x04xxxx"s, 2, "a view that ends within an element"},
       {"\\\x02o{\0"s, 2, "an object of an unknown kind"},
       {"\\\x01T", 2, "an object of an unknown kind"},
       {"^\0"s, 2, "a reference to an object that has not come before"},
       {"A\x01^\x01$\0\x01"s, 4, "a reference to an object that has not come before, at /0"}});
}

TEST_CASE("v8 reader: refuses what stays in its process", "[wire]") {
  check_bad({{"A\x02\x42\0V\x42\0\0\0$\0\x02"s, 6, "a view that shares its ArrayBuffer, at /1"},
             {"t\0"s, 2, "an ArrayBuffer that is transferred"},
             {"u\0"s, 2, "a SharedArrayBuffer"},
             {"p\0"s, 2, "an object that threads share"},
             {"w\0"s, 2, "a WebAssembly.Module"},
             {"m\0"s, 2, "a WebAssembly.Memory"}});
}

TEST_CASE("v8 reader: refuses a message, when a container is not what it says", "[wire]") {
  const auto key = "a key that is neither a string nor an integer"s;
  check_bad({{"o\"\x01\x61T{\x02", 7, "an object with a wrong count"},
             {"o\"\x01\x61T\"\x01\x61T{\x02", 7, "an object with the same key twice"},
             {"oI\x02T\"\x01\x31T{\x02", 6, "an object with the same key twice"},
             {"oTT{\x01", 3, key},
             {"o\"\x01\x61oN\0\0\0\0\0\0\xF8\x3FT{\x01{\x01"s, 7, key + ", at /a"},
             {"A\x02T$\0\x02"s, 5, unknown + ", at /1"},
             {"A\x01T$\x01\x01", 5, "an array with a wrong count"},
             {"A\x01T$\0\x02"s, 5, "an array with a wrong count"},
             {"a\x02I\0T@\x02\x02"s, 7, "an array with a wrong count"},
             {"a\x02I\0TI\0T@\x02\x02"s, 7, "an array with the same key twice"},
             {"a\x01I\x02T@\x01\x01", 4, "an array with an element behind its end"},
             {"A\x09T", 2, "an array that is longer than the message"},
             {";I\x02:\x01", 5, unknown + ", at /$map/0/1"},
             {";I\x02T:\x01", 6, "a Map or Set with a wrong count"},
             {"'T,\x02", 4, "a Map or Set with a wrong count"},
             {"rTT.", 4, "an Error with an unknown part"},
             {"rx.", 3, "an Error with an unknown part"},
             {"rm\"\x01xm\"\x01x.", 7, "an Error with a part twice"},
             {"rcTcT.", 5, "an Error with two causes"},
             {"rmT.", 3, "a string is missing"}});
}

TEST_CASE("v8 reader: refuses a message, when it ends too early", "[wire]") {
  for (const auto& sample : v8_samples()) {
    const std::string message = v8_message(sample.bytes);
    CAPTURE(excerpt(message, 0));
    for (std::size_t size = 0; size < message.size(); ++size) {
      CAPTURE(size);
      const auto bad = read_v8(message.substr(0, size)).bad;
      REQUIRE(bad.has_value());
      REQUIRE(bad->offset <= size);
    }
  }
  check_bad({{"I", 3, "the message ends too early"},
             {"o\"\x01\x61", 6, "the message ends too early, at /a"},
             {"\"\x05\x61", 4, "the message ends too early"}});
}

TEST_CASE("v8 reader: refuses a number, when it has too many bits", "[wire]") {
  check_bad({{"U\xFF\xFF\xFF\xFF\x1F", 8, "a number is too large"},
             {"\"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02", 13, "a number is too large"}});
}

TEST_CASE("v8 reader: reads over a value of any other kind", "[wire]") {
  V8Reader reader(default_depth);
  json value;
  const auto samples = v8_samples();
  for (const auto& before : samples) {
    for (const auto& after : samples) {
      REQUIRE_FALSE(reader.read(v8_message(before.bytes), value).has_value());
      REQUIRE_FALSE(reader.read(v8_message(after.bytes), value).has_value());
      CAPTURE(excerpt(before.bytes, 0), excerpt(after.bytes, 0));
      REQUIRE(same(value, after.value));
    }
  }
}

TEST_CASE("v8 reader: neither crashes nor gives what cannot be written, when messages are damaged",
          "[wire]") {
  DamagedMessages messages(7);
  V8Reader reader(default_depth);
  json value;
  int good = 0;
  const int count = scaled(100'000, 3'000'000);
  for (int i = 0; i < count; ++i) {
    const std::vector<char> message = messages.next();
    const std::string_view bytes(message.data(), message.size());
    const auto bad = reader.read(bytes, value);
    CAPTURE(excerpt(bytes, 0));
    if (bad) {
      REQUIRE(bad->offset <= bytes.size());
      REQUIRE_NOTHROW(json(bad->text()).dump());
    } else {
      ++good;
      REQUIRE_NOTHROW(value.dump());
      REQUIRE(v8_bytes(value) != "");
    }
  }
  CHECK(good > count / 20);
  CHECK(good < count - count / 20);
}
