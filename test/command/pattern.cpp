#include "command/script/pattern.hpp"

#include <string>

#include "command/parse.hpp"
#include "support/catch.hpp"

using namespace tine::command;
using nlohmann::json;

namespace {

Pattern pattern_of(const std::string& text) {
  return parse("fork ./c\n< $known=any\n< " + text).steps.at(2).pattern;
}

bool fits(const std::string& pattern, const json& value, const Captures& captures = {}) {
  return matches(pattern_of(pattern), value, captures);
}

}  // namespace

TEST_CASE("pattern: JSON fits itself only", "[command]") {
  for (const char* const text :
       {"null", "true", "false", "0", "-1.5e3", "\"\"", "\"a\\u00fc\\n\"", "[]", "{}", "[1,[2]]",
        "{\"a\":{\"b\":[null]},\"c\":\"d\"}", "12345678901234567890"}) {
    CAPTURE(text);
    CHECK(fits(text, json::parse(text)));
    CHECK_FALSE(fits(text, "something else"));
    CHECK(instance(pattern_of(text), {}) == json::parse(text));
  }
  CHECK(fits("1", 1.0));
  CHECK_FALSE(fits("\"1\"", 1));
}

TEST_CASE("pattern: placeholders fit the types that they name", "[command]") {
  const json values = {nullptr, true, 1, 1.5, 2.0, "x", json::object(), json::array()};
  const auto taken = [&](const std::string& pattern) {
    std::string which;
    for (const auto& value : values) which += fits(pattern, value) ? '1' : '0';
    return which;
  };
  CHECK(taken("any") == "11111111");
  CHECK(taken("boolean") == "01000000");
  CHECK(taken("number") == "00111000");
  CHECK(taken("integer") == "00101000");
  CHECK(taken("string") == "00000100");
  CHECK(taken("object") == "00000010");
  CHECK(taken("array") == "00000001");
  CHECK(taken("/^x$/") == "00000100");
}

TEST_CASE("pattern: objects and arrays must fit exactly unless they end in dots", "[command]") {
  const json object = {{"a", 1}, {"b", 2}};
  CHECK(fits(R"({"b": 2, "a": 1})", object));
  CHECK_FALSE(fits(R"({"a": 1})", object));
  CHECK(fits(R"({"a": 1, ...})", object));
  CHECK(fits("{...}", object));
  CHECK_FALSE(fits(R"({"c": any, ...})", object));
  CHECK_FALSE(fits("{...}", json::array()));

  CHECK(fits("[1, any]", {1, 2}));
  CHECK_FALSE(fits("[1]", {1, 2}));
  CHECK(fits("[1, ...]", {1, 2}));
  CHECK(fits("[...]", json::array()));
  CHECK_FALSE(fits("[1, 2, ...]", json::array({1})));
}

TEST_CASE("pattern: regular expressions fit strings", "[command]") {
  CHECK(fits("/b+/", "abbc"));
  CHECK_FALSE(fits("/^b/", "abbc"));
  CHECK(fits("/^ABBC$/i", "abbc"));
  CHECK(fits("/a\\/b/", "a/b"));
  CHECK(fits("/\\d\\\\/", "1\\"));
  CHECK_FALSE(fits("/1/", 1));
  CHECK_FALSE(fits("/x/", std::string(longest_regex_subject + 1, 'x')));
}

TEST_CASE("pattern: captured values can be used later", "[command]") {
  const auto transcript = parse(R"(fork ./c
< {"id": $id=number, "all": $all=[$first=any, ...]}
< [$id, $first]
> {"id": $id, "all": $all}
)");
  const json message = {{"id", 7}, {"all", {"x", "y"}}};
  Captures captures;
  REQUIRE(matches(transcript.steps[1].pattern, message, captures));
  capture(transcript.steps[1].pattern, message, captures);
  CHECK(captures == Captures{{"id", 7}, {"all", {"x", "y"}}, {"first", "x"}});
  CHECK(matches(transcript.steps[2].pattern, {7, "x"}, captures));
  CHECK_FALSE(matches(transcript.steps[2].pattern, {7, "y"}, captures));
  CHECK(instance(transcript.steps[3].pattern, captures) == message);
}

TEST_CASE("pattern: printed beside a value, only the parts that differ are patterns", "[command]") {
  const json value = {{"a", 1}, {"b", {1, 2}}, {"c", "x"}};
  const auto shown = [&](const std::string& pattern) {
    return print_pattern(pattern_of(pattern), &value, {});
  };
  CHECK(shown("any") == value.dump(2));
  CHECK(shown(R"({"c": number, ...})") ==
        "{\n  \"a\": 1,\n  \"b\": [\n    1,\n    2\n  ],\n  \"c\": number\n}");
  CHECK(shown(R"({"b": [1, 3], "a": $n=any})") ==
        "{\n  \"a\": 1,\n  \"b\": [\n    1,\n    3\n  ]\n}");
  CHECK(print_pattern(pattern_of(R"([$n=/x/i, ...])"), nullptr, {}) == "[\n  $n=/x/i,\n  ...\n]");
}
