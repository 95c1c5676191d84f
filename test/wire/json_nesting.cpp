// The limits of nesting, and the stack that nested values need.
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/byte_buffer.hpp"
#include "support/catch.hpp"
#include "support/small_stack.hpp"
#include "wire/json_reader.hpp"
#include "wire/json_writer.hpp"
#include "wire/read_text.hpp"

using nlohmann::json;
using tine::base::ByteBuffer;
using tine::wire::JsonReader;
using tine::wire::write_json;

namespace {

using Sizes = std::vector<std::size_t>;

// A text of arrays and objects, nested in the order of `kinds` again and again, around `innermost`.
struct Nested {
  Nested(std::string_view kinds, std::size_t depth, std::string_view innermost) {
    std::string end;
    for (std::size_t i = 0; i < depth; ++i) {
      const bool object = kinds[i % kinds.size()] == '{';
      last_bracket = text.size();
      text += object ? '{' : '[';
      end += object ? '}' : ']';
      if (object && (i + 1 < depth || !innermost.empty())) text += "\"a\":";
    }
    text += innermost;
    text.append(end.rbegin(), end.rend());
  }

  std::string text;
  std::size_t last_bracket = 0;
};

// Checks, reads and writes a text, twice. Returns how often the written text equals the original
// one.
int round_trips(const std::string& text, std::size_t max_depth) {
  JsonReader reader(max_depth);
  json value;
  int good = 0;
  for (int i = 0; i < 2; ++i) {
    if (reader.check(PaddedText(text).view()) || read_over(reader, text, value)) continue;
    ByteBuffer out;
    if (!write_json(value, max_depth, out) && out.view() == text) ++good;
  }
  return good;
}

}  // namespace

TEST_CASE("json nesting: a text that is as deep as allowed is read", "[wire]") {
  const auto kinds = GENERATE(as<std::string>{}, "[", "{", "[{", "{[", "[[{");
  const auto innermost = GENERATE(as<std::string>{}, "", "1", "\"a\"");
  const auto max_depth = GENERATE(as<std::size_t>{}, 1, 2, 127, 128, 129, 1000);
  const Nested nested(kinds, max_depth, innermost);
  CAPTURE(kinds, innermost, max_depth);

  const ReadResult result = read_text(nested.text, max_depth);

  CHECK_FALSE(result.bad.has_value());
  CHECK(result.value.dump() == nested.text);
}

TEST_CASE("json nesting: texts of any depths are read over each other", "[wire]") {
  const auto kinds = GENERATE(as<std::string>{}, "[", "{", "[{");
  const auto innermost = GENERATE(as<std::string>{}, "", "1");
  JsonReader reader(default_depth);
  json value;
  for (std::size_t step = 0; step < 600; ++step) {
    const std::size_t depth = 1 + (step < 300 ? step : step * 97 % 300);
    CAPTURE(kinds, innermost, depth);
    const Nested nested(kinds, depth, innermost);
    REQUIRE_FALSE(read_over(reader, nested.text, value).has_value());
    REQUIRE(value.dump() == nested.text);
  }
}

TEST_CASE("json nesting: a text that is one level deeper is refused at its bracket", "[wire]") {
  const auto kinds = GENERATE(as<std::string>{}, "[", "{", "[{", "{[", "[[{");
  const auto innermost = GENERATE(as<std::string>{}, "", "1", "\"a\"");
  const auto max_depth = GENERATE(as<std::size_t>{}, 1, 2, 127, 128, 129, 1000);
  const Nested nested(kinds, max_depth + 1, innermost);
  CAPTURE(kinds, innermost, max_depth);

  const auto bad = read_text(nested.text, max_depth).bad;

  REQUIRE(bad.has_value());
  CHECK(bad->offset == nested.last_bracket);
  CHECK(bad->reason == "nested more than " + std::to_string(max_depth) + " deep");
}

TEST_CASE("json nesting: the limit of one level holds after any other text", "[wire]") {
  const auto before = GENERATE(as<std::string>{}, "", " ", "x", "[]", "[1,", "\xEF\xBB\xBF", "[[");
  CAPTURE(before);
  JsonReader reader(1);
  json value;
  read_over(reader, before, value);

  CHECK(read_over(reader, "[[1]]", value).has_value());
  CHECK(reader.check(PaddedText(R"({"a":{"a":1}})").view()).has_value());
  CHECK_FALSE(read_over(reader, "[1]", value).has_value());
}

TEST_CASE("json nesting: brackets in strings do not count", "[wire]") {
  CHECK(read_text(R"(["[[{{","\"[[","\\","[\\\"["])", 1).value ==
        json({"[[{{", "\"[[", "\\", "[\\\"["}));
  CHECK(read_text(R"({"[{\"[{":"[","]":"}","\ud800[":"\ud800{"})", 1).value.size() == 3);
}

TEST_CASE("json nesting: levels count, not brackets, if values stand side by side", "[wire]") {
  std::string text = "[[]";
  for (int i = 0; i < 5000; ++i) text += ",[1],{\"a\":1},[],{}";

  CHECK_FALSE(read_text(text + "]", 2).bad.has_value());
  CHECK(read_text(text + "]", 1).bad->offset == 1);
  CHECK(read_text(text + ",[[]]]", 2).bad->offset == text.size() + 2);
}

TEST_CASE("json nesting: a text that is millions deep is refused at the limit", "[wire]") {
  for (const std::size_t depth : Sizes{100'000, 1'000'000, 5'000'000}) {
    CHECK(read_text(std::string(depth, '[')).bad->offset == default_depth);
    CHECK(read_text(Nested("[", depth, "").text).bad->offset == default_depth);
    CHECK(read_text(Nested("{", depth, "1").text).bad->offset == 5 * default_depth);
  }
}

TEST_CASE("json nesting: a text that is too deep is refused again after good texts", "[wire]") {
  JsonReader reader(3);
  json value;
  for (int i = 0; i < 10; ++i) {
    CHECK(read_over(reader, "[[[[1]]]]", value).has_value());
    CHECK_FALSE(read_over(reader, "[[[1]]]", value).has_value());
    CHECK(value == json::parse("[[[1]]]"));
  }
}

TEST_CASE("json nesting: up to the default depth, a text fits a stack of 256 KiB", "[wire]") {
  const auto kinds = GENERATE(as<std::string>{}, "[", "{", "[{");
  const auto innermost = GENERATE(as<std::string>{}, "", "1");
  const auto depth = GENERATE(as<std::size_t>{}, 100, 127, 128, 129, default_depth);
  CAPTURE(kinds, innermost, depth);
  const std::string text = Nested(kinds, depth, innermost).text;
  int good = 0;

  run_on_stack(std::size_t{256} << 10, [&] { good = round_trips(text, default_depth); });

  CHECK(good == 2);
}

TEST_CASE("json nesting: beyond the default depth, a text is refused on a stack of 256 KiB",
          "[wire]") {
  const std::string text = Nested("[{", 1'000'000, "1").text;
  bool refused = false;

  run_on_stack(std::size_t{256} << 10, [&] {
    JsonReader reader(default_depth);
    json value;
    refused = read_over(reader, text, value).has_value();
  });

  CHECK(refused);
}

TEST_CASE("json nesting: at the deepest setting, a text fits a stack of 8 MiB", "[wire]") {
  const auto kinds = GENERATE(as<std::string>{}, "[", "{", "[{");
  const std::string text = Nested(kinds, JsonReader::deepest, "1").text;
  int good = 0;

  run_on_stack(std::size_t{8} << 20, [&] { good = round_trips(text, JsonReader::deepest); });

  CHECK(good == 2);
}

TEST_CASE("json nesting: the setting itself has a limit", "[wire]") {
  constexpr std::size_t deepest = JsonReader::deepest;

  CHECK(read_text(Nested("[", deepest + 1, "").text, deepest * 1000).bad->offset == deepest);
  CHECK_FALSE(read_text("[1]", 0).bad.has_value());
  CHECK(read_text("[[]]", 0).bad->offset == 1);
}
