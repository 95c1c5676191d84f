#include "wire/json_writer.hpp"

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
#include "wire/read_text.hpp"

using namespace std::string_literals;
using nlohmann::json;
using tine::base::ByteBuffer;
using tine::wire::write_json;

namespace {

using Sizes = std::vector<std::size_t>;

// Returns the text of a value that can be written.
std::string written(const json& value, std::size_t max_depth = default_depth) {
  ByteBuffer out;
  const auto problem = write_json(value, max_depth, out);
  CHECK(problem.value_or("") == "");
  return std::string(out.view());
}

// Returns the reason why a value cannot be written. Checks that nothing is appended and that
// earlier output is kept.
std::string problem_of(const json& value, std::size_t max_depth = default_depth) {
  ByteBuffer out;
  out.append("earlier\n");
  const std::string problem = write_json(value, max_depth, out).value_or("");
  CHECK(out.view() == "earlier\n");
  return problem;
}

}  // namespace

TEST_CASE("json writer: it writes every kind of value like dump()", "[wire]") {
  const json values = {nullptr,
                       true,
                       false,
                       0,
                       1,
                       -1,
                       "",
                       "text",
                       json::array(),
                       json::object(),
                       {1, {2, {3, json::array()}}, nullptr},
                       {{"b", 1}, {"a", {{"", "x"}}}},
                       {{"nested", {{"list", {1.5, "é", json::object()}}}}}};
  for (const json& value : values) {
    CAPTURE(value);
    CHECK(written(value) == value.dump());
  }
  CHECK(written(values) == values.dump());
}

TEST_CASE("json writer: it writes integers in full, up to the limits of 64 bits", "[wire]") {
  CHECK(written(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
  CHECK(written(std::numeric_limits<std::int64_t>::max()) == "9223372036854775807");
  CHECK(written(std::numeric_limits<std::uint64_t>::max()) == "18446744073709551615");
  CHECK(written({0, -0, 10, -10, 9007199254740993}) == "[0,0,10,-10,9007199254740993]");
}

TEST_CASE("json writer: it writes finite doubles like dump()", "[wire]") {
  CHECK(written(-0.0) == "-0.0");
  CHECK(written(1.0) == "1.0");
  CHECK(written(0.1) == "0.1");
  CHECK(written(1e21) == "1e+21");
  for (const double number :
       {0.0, 1e-7, 1e15, 1e16, 1e100, 123456789.0, 1.0 / 3, 5e-324, 2.2250738585072014e-308,
        1.7976931348623157e308, -1.7976931348623157e308, 9007199254740993.0,
        18446744073709551616.0}) {
    CHECK(written(number) == json(number).dump());
  }
  RandomJson random(6);
  for (int i = 0; i < 5000; ++i) {
    const std::uint64_t bits = random.bits();
    double number = 0;
    std::memcpy(&number, &bits, sizeof number);
    REQUIRE(written(number) == json(number).dump());
  }
}

TEST_CASE("json writer: it writes null for a number that is not finite", "[wire]") {
  CHECK(written(std::numeric_limits<double>::infinity()) == "null");
  CHECK(written(-std::numeric_limits<double>::infinity()) == "null");
  CHECK(written({1, std::nan(""), 2}) == "[1,null,2]");
}

TEST_CASE("json writer: it escapes only what JSON requires, in the form of dump()", "[wire]") {
  CHECK(written("\b\t\n\f\r\"\\") == R"("\b\t\n\f\r\"\\")");
  CHECK(written("\v\x01\x1F"s + '\0') == R"("\u000b\u0001\u001f\u0000")");
  CHECK(written("/\x7F'<>&") == "\"/\x7F'<>&\"");
  CHECK(written({{"a\nb", "\n"}}) == R"({"a\nb":"\n"})");
}

TEST_CASE("json writer: it writes every ASCII character like dump()", "[wire]") {
  for (int c = 0; c < 0x80; ++c) {
    const auto character = static_cast<char>(c);
    const std::string text = "a"s + character + "b" + character + character;
    CAPTURE(c);
    CHECK(written(text) == json(text).dump());
    CHECK(written({{text, c}}) == json({{text, c}}).dump());
    CHECK(read_text(written(text)).value == text);
  }
}

TEST_CASE("json writer: it writes valid non-ASCII text unchanged", "[wire]") {
  for (const std::string text :
       {"é€😀", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\u2028\u2029", "\xED\x9F\xBF",
        "\xEE\x80\x80", "\xEF\xBF\xBF", "\xF4\x8F\xBF\xBF", "\xEF\xBB\xBF"}) {
    CHECK(written(text) == '"' + text + '"');
  }
  CHECK(written({{"é", 1}}) == "{\"é\":1}");
}

TEST_CASE("json writer: it writes long strings like dump(), with any character around byte 4096",
          "[wire]") {
  const auto special = GENERATE(as<std::string>{}, "\n", "\x01", "\"", "é", "€", "😀", "\\\\\n\t");
  for (const std::size_t border : Sizes{4096, 8192, 12288}) {
    for (std::size_t before = border - 8; before <= border + 2; ++before) {
      const std::string text = std::string(before, 'x') + special + "tail";
      CAPTURE(special, before);
      REQUIRE(written(text) == json(text).dump());
    }
  }
  std::string many;
  for (int i = 0; i < 10'000; ++i) many += special;
  CHECK(written({{many, many}}) == json({{many, many}}).dump());
}

TEST_CASE("json writer: it writes strings like dump() if they are as long as a piece", "[wire]") {
  for (const std::size_t size : Sizes{0, 1, 4095, 4096, 4097, 8191, 8192, 8193, 1'000'000}) {
    CHECK(written(std::string(size, 'x')) == '"' + std::string(size, 'x') + '"');
    CHECK(written(std::string(size, '\x01')) == json(std::string(size, '\x01')).dump());
  }
}

TEST_CASE("json writer: it refuses a string that is not valid UTF-8", "[wire]") {
  const auto bytes =
      GENERATE(as<std::string>{}, "\x80", "\xBF", "a\x80", "\xFE", "\xFF", "\xC0\xAF", "\xC1\xBF",
               "\xE0\x80\xAF", "\xF0\x80\x80\xAF", "\xED\xA0\x80", "\xED\xBF\xBF", "\xC3",
               "\xE2\x82", "\xF0\x9F\x98", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80",
               "\xF8\x88\x80\x80\x80", "\xC3\n\xA9", "\xE2\x82\"\xAC");
  constexpr auto problem = "a string is not valid UTF-8";
  CAPTURE(json(bytes).dump(-1, ' ', true, json::error_handler_t::replace));

  CHECK(problem_of(bytes) == problem);
  CHECK(problem_of("good " + bytes) == problem);
  CHECK(problem_of(bytes + " good") == problem);
  CHECK(problem_of({{bytes, 1}}) == problem);
  CHECK(problem_of({{"a", {1, "é", {{"b", bytes}}}}, {"z", "good"}}) == problem);
  CHECK(problem_of(std::string(4095, 'x') + bytes + std::string(5000, 'x')) == problem);
}

TEST_CASE("json writer: it refuses the two halves of a character in two strings", "[wire]") {
  CHECK_FALSE(problem_of({"\xC3", "\xA9"}).empty());
  CHECK_FALSE(problem_of({{"\xC3", "\xA9"}}).empty());
  CHECK_FALSE(problem_of({{"\xC3", 1}, {"\xA9", 2}}).empty());
}

TEST_CASE("json writer: it refuses a value that a parser callback has discarded", "[wire]") {
  CHECK(problem_of(json(json::value_t::discarded)).find("discarded") != std::string::npos);
  CHECK_FALSE(problem_of({1, {{"a", json(json::value_t::discarded)}}}).empty());
}

TEST_CASE("json writer: it writes binary values like dump(), if the depth allows it", "[wire]") {
  const json plain = json::binary({1, 2, 255});
  const json with_subtype = json::binary({}, 7);

  CHECK(written(plain) == plain.dump());
  CHECK(written({with_subtype, 1}) == json({with_subtype, 1}).dump());
  CHECK(read_text(written(plain, 2), 2).value["bytes"] == json({1, 2, 255}));
  CHECK_FALSE(problem_of(plain, 1).empty());
  CHECK_FALSE(problem_of(nested(8, plain, true), 9).empty());
  CHECK_FALSE(written(nested(8, plain, true), 10).empty());
}

TEST_CASE("json writer: it writes a value that is nested as deeply as allowed", "[wire]") {
  const bool objects = GENERATE(false, true);
  const auto max_depth = GENERATE(as<std::size_t>{}, 1, 2, 1000);
  CAPTURE(objects, max_depth);

  const json value = nested(max_depth, 1, objects);
  CHECK(written(value, max_depth) == value.dump());
  const json empty = nested(max_depth - 1, objects ? json::object() : json::array(), objects);
  CHECK(written(empty, max_depth) == empty.dump());
}

TEST_CASE("json writer: it refuses a value that is nested one level deeper", "[wire]") {
  const bool objects = GENERATE(false, true);
  const auto max_depth = GENERATE(as<std::size_t>{}, 1, 2, 1000);
  CAPTURE(objects, max_depth);
  const json empty = objects ? json::object() : json::array();

  CHECK(problem_of(nested(max_depth + 1, 1, objects), max_depth) == "nested too deeply");
  CHECK(problem_of(nested(max_depth, empty, objects), max_depth) == "nested too deeply");
  CHECK(problem_of({"first", nested(max_depth, 1, objects)}, max_depth) == "nested too deeply");
}

TEST_CASE("json writer: it writes only scalars if no nesting is allowed", "[wire]") {
  CHECK(written(5, 0) == "5");
  CHECK(problem_of(json::array(), 0) == "nested too deeply");
  CHECK(problem_of(json::object(), 0) == "nested too deeply");
}

TEST_CASE("json writer: it appends to earlier output", "[wire]") {
  ByteBuffer out;
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    const json value = {{"n", i}, {"s", std::string(static_cast<std::size_t>(i), '\n')}};
    REQUIRE_FALSE(write_json(value, default_depth, out).has_value());
    REQUIRE(write_json(json{value, "\xFF"}, default_depth, out).has_value());
    out.push_back('\n');
    expected += value.dump() + '\n';
  }

  CHECK(out.view() == expected);
}

TEST_CASE("json writer: it never writes a line feed", "[wire]") {
  const json value = {{"\n", {"\n\n", {{"a\nb", "\r\n"}}}}, {"b", json::array()}};

  CHECK(written(value).find('\n') == std::string::npos);
}
