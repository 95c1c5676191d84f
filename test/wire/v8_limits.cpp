// The limits of nesting and memory of V8's format.
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "support/catch.hpp"
#include "support/small_stack.hpp"
#include "wire/heap.hpp"
#include "wire/v8_message.hpp"

using namespace std::string_literals;
using nlohmann::json;
using tine::base::ByteBuffer;
using tine::wire::JsonReader;
using tine::wire::V8Reader;
using tine::wire::V8Writer;

namespace {

using Sizes = std::vector<std::size_t>;

// A container with one value in it, and how many levels of JSON it has.
struct Shell {
  std::string begin;
  std::string end;
  std::size_t levels;
};

const std::vector<Shell> shells{{"o\"\x01\x61", "{\x01", 1},
                                {"A\x01", "$\0\x01"s, 1},
                                {"a\x01I\0"s, "@\x01\x01", 1},
                                {"a\x02I\x02", "@\x01\x02", 2},
                                {"A\x02-", "$\0\x02"s, 2},
                                {";I\0"s, ":\x02", 3},
                                {"'", ",\x01", 2},
                                {"rc", ".", 1},
                                {"o\"\x04$setA\x01", "$\0\x01{\x01"s, 3}};

std::string nested(const Shell& shell, std::size_t count, std::string_view innermost) {
  std::string value;
  for (std::size_t i = 0; i < count; ++i) value += shell.begin;
  value += innermost;
  for (std::size_t i = 0; i < count; ++i) value += shell.end;
  return v8_message(value);
}

std::size_t depth_of(const json& value) {
  std::size_t deepest = 0;
  if (value.is_structured()) {
    for (const json& element : value) deepest = std::max(deepest, depth_of(element));
    ++deepest;
  }
  return deepest;
}

// Reads a message and writes its value, twice. Returns how often both succeeded.
int round_trips(const std::string& message, std::size_t max_depth) {
  V8Reader reader(max_depth);
  V8Writer writer(max_depth);
  json value;
  int good = 0;
  for (int i = 0; i < 2; ++i) {
    ByteBuffer out;
    if (!reader.read(message, value) && !writer.write(value, out)) ++good;
  }
  return good;
}

}  // namespace

TEST_CASE("v8 limits: the nesting that counts is that of the value, with its tags", "[wire]") {
  for (const Shell& shell : shells) {
    for (const auto& [innermost, levels] : {std::pair("T"s, 0),
                                            {"_"s, 1},
                                            {"o{\0"s, 1},
                                            {"y"s, 1},
                                            {"z\0"s, 2},
                                            {"B\0"s, 0},
                                            {";:\0"s, 2},
                                            {"o\"\x05$date0{\x01"s, 2}}) {
      for (const std::size_t count : Sizes{1, 2, 5}) {
        const std::string message = nested(shell, count, innermost);
        const std::size_t depth = count * shell.levels + static_cast<std::size_t>(levels);
        CAPTURE(tine::wire::excerpt(message, 0), depth);
        const ReadResult result = read_v8(message, depth);
        REQUIRE_FALSE(result.bad.has_value());
        REQUIRE(depth_of(result.value) == depth);
        REQUIRE(v8_bytes(result.value, depth) != "");
        if (depth == 1) continue;
        const auto bad = read_v8(message, depth - 1).bad;
        REQUIRE(bad.has_value());
        const std::string reason = "nested more than " + std::to_string(depth - 1) + " deep";
        REQUIRE(bad->reason.starts_with(reason));
        REQUIRE(v8_problem(result.value, depth - 1).starts_with(reason));
      }
    }
  }
}

TEST_CASE("v8 limits: a plain object that its reader will mark counts as it comes back", "[wire]") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const json& value : {json{{"$escape", nan}}, json{{"$escape", json::binary({1})}},
                            json{{"$array", nan}, {"length", 1}}}) {
    CAPTURE(value);
    CHECK(v8_problem(value, 1).starts_with("nested more than 1 deep"));
    const ReadResult result = read_v8(v8_message(v8_bytes(value, 2)), 2);
    REQUIRE_FALSE(result.bad.has_value());
    CHECK(depth_of(result.value) == 2);
  }
}

TEST_CASE("v8 limits: nesting is refused without much ado, when it is millions deep", "[wire]") {
  for (const Shell& shell : shells) {
    const std::string message = nested(shell, 1'000'000, "T");
    CAPTURE(tine::wire::excerpt(message, 0));
    CHECK(read_v8(message).bad->reason.starts_with("nested more than 1000 deep, at /"));
  }
  CHECK(read_v8(v8_message(std::string(5'000'000, '?'))).bad.has_value());
  CHECK(read_v8(v8_message(std::string(5'000'000, '\0'))).bad.has_value());
}

TEST_CASE("v8 limits: nesting up to the default depth fits a stack of 256 KiB", "[wire]") {
  for (const Shell& shell : shells) {
    const std::string message = nested(shell, default_depth / shell.levels, "T");
    CAPTURE(tine::wire::excerpt(message, 0));
    int good = 0;
    run_on_stack(std::size_t{256} << 10, [&] { good = round_trips(message, default_depth); });
    CHECK(good == 2);
  }
}

TEST_CASE("v8 limits: nesting is bounded, when the setting is beyond reason", "[wire]") {
  constexpr std::size_t deepest = JsonReader::deepest;
  const std::string message = nested(shells[1], deepest, "T");
  int good = 0;
  run_on_stack(std::size_t{8} << 20, [&] { good = round_trips(message, deepest * 1000); });
  CHECK(good == 2);
  CHECK(read_v8(nested(shells[1], deepest + 1, "T"), deepest * 1000).bad.has_value());
}

TEST_CASE("v8 limits: a length that is claimed costs nothing before its bytes come", "[wire]") {
  const std::string huge = "\xFF\xFF\xFF\xFF\x0F";
  std::string arrays;  // each claims to have as many elements as bytes follow
  for (int i = 0; i < 900; ++i) arrays += "A\x80\x80\x40";
  for (const auto& value :
       {"a" + huge, "\"" + huge, "c" + huge, "B" + huge, "~" + huge + huge, "\\\0\x0A"s + huge,
        "Z" + huge, "A\x01\x61"s + huge, arrays + std::string(std::size_t{1} << 20, '0')}) {
    CAPTURE(tine::wire::excerpt(value, 0));
    const std::string message = v8_message(value);
    V8Reader reader(default_depth);
    json result;
    const std::size_t before = heap::live_bytes();
    CHECK(reader.read(message, result).has_value());
    // The elements of the innermost array have come.
    CHECK(heap::live_bytes() - before < (std::size_t{1} << 20) + 40 * message.size());
  }
}

TEST_CASE("v8 limits: references to deep objects are refused, when they are too many", "[wire]") {
  const auto message = [](std::size_t depth, std::size_t count) {
    std::string value = "A\x80\x80\x04";  // 65 536 elements
    for (std::size_t i = 0; i < depth; ++i) value += "A\x01";
    value += "o{\0"s;
    for (std::size_t i = 0; i < depth; ++i) value += "$\0\x01"s;
    const std::string number = {static_cast<char>(0x80 | (depth + 1) % 128),
                                static_cast<char>((depth + 1) / 128)};
    for (std::size_t i = 1; i < 65'536; ++i) value += i < count ? "^" + number : "0";
    return v8_message(value + "$\0\x80\x80\x04"s);
  };
  CHECK_FALSE(read_v8(message(900, 2'000)).bad.has_value());
  const auto bad = read_v8(message(900, 60'000)).bad;
  REQUIRE(bad.has_value());
  CHECK(bad->reason == "too many references to objects that are nested deep");
  CHECK_FALSE(read_v8(message(10, 60'000)).bad.has_value());
}

TEST_CASE("v8 limits: many references from deep in a value to its root are quick", "[wire]") {
  constexpr std::size_t depth = 900;
  constexpr std::size_t count = 100'000;
  json value(json::array_t(count, json{{"$ref", std::to_string(depth)}}));
  for (std::size_t i = 1; i < depth; ++i) {
    json outer = json::array();
    outer.push_back(std::move(value));
    value = std::move(outer);
  }
  CHECK((v8_value(v8_bytes(value)) ==
         value));  // in parentheses, because it is too long to be printed
}

TEST_CASE("v8 limits: many references to a large Map are written quickly", "[wire]") {
  constexpr std::size_t count = 100'000;
  const json pair = json::array({nullptr, nullptr});
  json value = json::array({{{"$map", json::array_t(count, pair)}}});
  for (std::size_t i = 0; i < count; ++i) value.push_back({{"$ref", "1/0"}});
  const std::string written = v8_bytes(value);
  // Two bytes for a pair, two for a reference.
  CHECK(written.size() < 5 * count);
  CHECK(v8_value(written) == value);
}

TEST_CASE("v8 limits: similar messages are read and written without allocating", "[wire]") {
  const json first = {{"n", 1},
                      {"type", "update"},
                      {"list", {1, 2.5, {{"deep", "text"}}}},
                      {"bytes", json::binary({1, 2, 3})}};
  json second = first;
  second["n"] = 2;
  second["type"] = "delete";
  V8Reader reader(default_depth);
  V8Writer writer(default_depth);
  ByteBuffer out;
  json value;
  for (int i = 0; i < 3; ++i) {
    out.truncate(0);
    REQUIRE_FALSE(writer.write(i % 2 == 0 ? first : second, out).has_value());
    REQUIRE_FALSE(reader.read(out.view(), value).has_value());
  }
  const std::size_t before = heap::allocations();
  for (int i = 0; i < 10; ++i) {
    out.truncate(0);
    static_cast<void>(writer.write(i % 2 == 0 ? first : second, out));
    static_cast<void>(reader.read(out.view(), value));
  }
  CHECK(heap::allocations() == before);
  CHECK(value == second);
}

TEST_CASE("v8 limits: members in another order are read over those before", "[wire]") {
  const std::string message = v8_message("o\"\x04typeS\x06update\"\x01nI\x02\"\x01\x62T{\x03");
  const std::string other = v8_message("o\"\x01\x62T\"\x04typeS\x06update\"\x01nI\x02{\x03");
  V8Reader reader(default_depth);
  json value;
  for (int i = 0; i < 2; ++i) {
    REQUIRE_FALSE(reader.read(message, value).has_value());
    REQUIRE_FALSE(reader.read(other, value).has_value());
  }
  const std::size_t before = heap::allocations();
  REQUIRE_FALSE(reader.read(message, value).has_value());
  REQUIRE_FALSE(reader.read(other, value).has_value());
  CHECK(heap::allocations() == before);
  CHECK(value == json({{"type", "update"}, {"n", 1}, {"b", true}}));
}

TEST_CASE("v8 limits: the memory of a huge message is given back after a while", "[wire]") {
  V8Reader reader(default_depth);
  V8Writer writer(default_depth);
  ByteBuffer out;
  json value;
  const std::size_t before = heap::live_bytes();
  const json objects(json::array_t(100'000, json::object()));
  REQUIRE_FALSE(writer.write(objects, out).has_value());
  REQUIRE_FALSE(reader.read(out.view(), value).has_value());
  CHECK(heap::live_bytes() - before > objects.size() * sizeof(void*));
  for (int i = 0; i < 100; ++i) {
    out.truncate(0);
    REQUIRE_FALSE(writer.write(json::array(), out).has_value());
    REQUIRE_FALSE(reader.read(out.view(), value).has_value());
  }
  out.release();
  CHECK(heap::live_bytes() - before < (std::size_t{64} << 10) + objects.size() * 120);
}
