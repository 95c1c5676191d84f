// Texts that are read into the same value one after the other. The value must be right, and its
// memory is kept or released.
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "support/catch.hpp"
#include "support/scale.hpp"
#include "wire/heap.hpp"
#include "wire/json_reader.hpp"
#include "wire/random_json.hpp"
#include "wire/read_text.hpp"

using nlohmann::json;
using tine::wire::JsonReader;

namespace {

using Sizes = std::vector<std::size_t>;

std::string object_of(std::size_t first_key, std::size_t keys, int value) {
  json object = json::object();
  for (std::size_t i = first_key; i < first_key + keys; ++i)
    object["k" + std::to_string(i)] = value;
  return object.dump();
}

}  // namespace

TEST_CASE("json refill: random documents give the same values as with a fresh parse", "[wire]") {
  constexpr std::uint64_t seed = 4711;
  RandomJson random(seed);
  JsonReader reader(default_depth);
  json value;
  std::string before;
  const int documents = scaled(20'000, 200'000);
  for (int n = 0; n < documents; ++n) {
    const std::string text = random.next_text();
    const bool good = !read_over(reader, text, value);
    if (!good || !same(value, json::parse(text))) {
      CAPTURE(seed, n, before, text, value);
      FAIL("read as something else");
    }
    if (random.below(50) == 0) const json taken = std::move(value);
    before = text;
  }
}

TEST_CASE("json refill: each value is right, whatever it is read over", "[wire]") {
  const std::vector<std::string> texts{"null",
                                       "true",
                                       "5",
                                       "-5",
                                       "1.5",
                                       R"("s")",
                                       R"("a longer string than fits inside")",
                                       "[]",
                                       "[1,2,3]",
                                       "[[1],[2]]",
                                       "{}",
                                       R"({"a":1})",
                                       R"({"a":1,"b":2})",
                                       R"({"b":2,"a":1})",
                                       R"({"a":1,"a":2})",
                                       R"({"a":1,"b":2,"a":3})",
                                       R"({"a":{"a":1}})",
                                       R"({"a":{"b":1}})",
                                       R"({"a":{"a":1,"b":[2]},"b":{}})",
                                       R"([{"a":1},{"a":2}])",
                                       R"({"b":1})",
                                       R"({"a":"x","b":"y","c":{"d":"z"}})",
                                       R"({"c":{"d":"z"},"b":"y","a":"x"})",
                                       "100000000000000000000",
                                       R"("\ud800")",
                                       object_of(0, 31, 1),
                                       object_of(0, 32, 1),
                                       object_of(0, 33, 1),
                                       object_of(0, 50, 1),
                                       object_of(20, 50, 1),
                                       object_of(49, 2, 1)};
  for (const std::string& before : texts) {
    for (const std::string& text : texts) {
      CAPTURE(before, text);
      JsonReader reader(default_depth);
      json value;
      CHECK_FALSE(read_over(reader, before, value).has_value());
      CHECK_FALSE(read_over(reader, text, value).has_value());
      CHECK(same(value, read_text(text).value));
    }
  }
}

TEST_CASE("json refill: no stale key is left if the number of keys crosses 32", "[wire]") {
  JsonReader reader(default_depth);
  json value;
  for (const std::size_t keys : Sizes{2, 33, 2, 32, 31, 40, 1, 64, 33, 0, 32}) {
    for (const std::size_t first_key : Sizes{0, 1, 100}) {
      const std::string text = object_of(first_key, keys, 7);
      CAPTURE(text);
      CHECK_FALSE(read_over(reader, text, value).has_value());
      CHECK(value == json::parse(text));
    }
  }
}

TEST_CASE("json refill: messages of the same shape need no allocations", "[wire]") {
  const std::vector<std::string> texts{
      R"({"id":1,"name":"a string that is long","list":[1,2.5,"three"],"more":{"x":null,"y":[]}})",
      R"({"id":2,"name":"another that is as long","list":[-1,0,""],"more":{"x":null,"y":[]}})",
      R"({"name":"in another order","more":{"y":[],"x":null},"list":[7,8,"nine"],"id":-3})"};
  JsonReader reader(default_depth);
  json value;
  std::vector<PaddedText> padded;
  for (const std::string& text : texts) padded.emplace_back(text);
  const auto read_each = [&] {
    for (const PaddedText& text : padded) {
      if (reader.read(text.view(), value)) return false;
    }
    return true;
  };
  REQUIRE(read_each());
  REQUIRE(read_each());

  const std::size_t before = heap::allocations();
  const bool good = read_each();
  const std::size_t allocated = heap::allocations() - before;

  CHECK(good);
  CHECK(allocated == 0);
}

TEST_CASE("json refill: messages of the same shape keep members and strings in place", "[wire]") {
  JsonReader reader(default_depth);
  json value;
  REQUIRE_FALSE(
      read_over(reader, R"({"a":"a string that is long enough","b":[1]})", value).has_value());
  const json* const member = &value["a"];
  const char* const characters = value["a"].get_ref<const std::string&>().data();
  const json* const element = &value["b"][0];

  REQUIRE_FALSE(read_over(reader, R"({"b":["x"],"a":"a shorter string"})", value).has_value());

  CHECK(&value["a"] == member);
  CHECK(value["a"].get_ref<const std::string&>().data() == characters);
  CHECK(&value["b"][0] == element);
}

TEST_CASE("json refill: after the previous value was moved from, a fresh one is made", "[wire]") {
  JsonReader reader(default_depth);
  json value;
  std::vector<json> kept;
  for (int i = 0; i < 5; ++i) {
    const std::string text = R"({"n":)" + std::to_string(i) + R"(,"s":"text","l":[1,2]})";
    REQUIRE_FALSE(read_over(reader, text, value).has_value());
    if (i == 3) kept.push_back(std::move(value["l"]));
    kept.push_back(std::move(value));
  }

  CHECK(kept[0] == json({{"n", 0}, {"s", "text"}, {"l", {1, 2}}}));
  CHECK(kept[3] == json({1, 2}));
  CHECK(kept[5] == json({{"n", 4}, {"s", "text"}, {"l", {1, 2}}}));
}

TEST_CASE("json refill: memory is released if small messages follow a huge one", "[wire]") {
  constexpr std::size_t huge = std::size_t{4} << 20;
  const PaddedText large("{\"a\":\"" + std::string(huge, 'x') + "\"}");
  const PaddedText small(R"({"a":"small"})");
  const std::size_t before = heap::live_bytes();
  JsonReader reader(default_depth);
  json value;

  REQUIRE_FALSE(reader.read(large.view(), value).has_value());
  CHECK(heap::live_bytes() - before > huge);
  for (int i = 0; i < 70; ++i) REQUIRE_FALSE(reader.read(small.view(), value).has_value());

  CHECK(value == json({{"a", "small"}}));
  CHECK(heap::live_bytes() - before < huge / 16);
}

TEST_CASE("json refill: memory is released if small texts are checked after a huge one", "[wire]") {
  constexpr std::size_t huge = std::size_t{4} << 20;
  const PaddedText large('"' + std::string(huge, 'x') + '"');
  const PaddedText small("\"small\"");
  const std::size_t before = heap::live_bytes();
  JsonReader reader(default_depth);

  REQUIRE_FALSE(reader.check(large.view()).has_value());
  CHECK(heap::live_bytes() - before > huge);
  for (int i = 0; i < 70; ++i) REQUIRE_FALSE(reader.check(small.view()).has_value());

  CHECK(heap::live_bytes() - before < huge / 16);
}

TEST_CASE("json refill: memory is kept as long as messages are large", "[wire]") {
  const std::string text = "\"" + std::string(std::size_t{1} << 20, 'x') + "\"";
  JsonReader reader(default_depth);
  json value;
  REQUIRE_FALSE(read_over(reader, text, value).has_value());
  const char* const characters = value.get_ref<const std::string&>().data();

  for (int i = 0; i < 10; ++i) {
    for (int k = 0; k < 50; ++k) REQUIRE_FALSE(read_over(reader, "\"s\"", value).has_value());
    REQUIRE_FALSE(read_over(reader, text, value).has_value());
  }

  CHECK(value.get_ref<const std::string&>().data() == characters);
}

TEST_CASE("json refill: each element is read once, even if the keys of every level change",
          "[wire]") {
  constexpr std::size_t depth = 100;
  std::string start;
  std::string same_keys;
  std::string other_keys;
  for (std::size_t i = 0; i < depth; ++i) {
    start += "{\"a\":";
    same_keys += "}";
    other_keys += ",\"z\":1}";
  }
  const PaddedText chain(start + "1" + same_keys);
  const std::string list = json(std::vector<std::string>(1000, std::string(40, 's'))).dump();
  const PaddedText other(start + list + other_keys);
  JsonReader reader(default_depth);
  json value;
  REQUIRE_FALSE(reader.read(chain.view(), value).has_value());

  const std::size_t before = heap::allocations();
  const bool good = !reader.read(other.view(), value);
  const std::size_t allocated = heap::allocations() - before;

  CHECK(good);
  CHECK(allocated < 5'000);
}
