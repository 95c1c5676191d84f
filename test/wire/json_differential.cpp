// Compares the reader and the writer with nlohmann's, on random documents.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/byte_buffer.hpp"
#include "support/catch.hpp"
#include "support/scale.hpp"
#include "wire/json_reader.hpp"
#include "wire/json_writer.hpp"
#include "wire/random_json.hpp"
#include "wire/read_text.hpp"

using nlohmann::json;
using tine::base::ByteBuffer;
using tine::wire::JsonReader;
using tine::wire::write_json;

namespace {

// Returns whether nlohmann's parser may judge a text differently: it accepts a byte order mark,
// stops at a NUL byte, and refuses lone surrogates.
bool is_judged_otherwise(const std::string& text) {
  return text.starts_with("\xEF\xBB\xBF") || text.find('\0') != text.npos ||
         text.find("\\ud") != text.npos || text.find("\\uD") != text.npos;
}

bool agrees(const std::string& text, bool good, const json& value) {
  const json expected = json::parse(text, nullptr, false);
  return good == !expected.is_discarded() && (!good || same(value, expected));
}

struct Batch {
  int count;
  RandomJson random;
};

// Small documents are read faster, so there can be more of them.
std::vector<Batch> batches(std::uint64_t seed) {
  return {{scaled(3'000, 30'000), RandomJson(seed)},
          {scaled(50'000, 500'000), RandomJson(seed, RandomJson::small)}};
}

}  // namespace

TEST_CASE("json reader: it agrees with nlohmann's parser on good documents", "[wire]") {
  constexpr std::uint64_t seed = 1;
  JsonReader reader(default_depth);
  for (auto [count, random] : batches(seed)) {
    for (int n = 0; n < count; ++n) {
      const std::string text = random.next_text();
      const PaddedText padded(text);
      json value;
      const bool good = !reader.read(padded.view(), value);
      const bool checked = !reader.check(padded.view());
      if (good && checked && same(value, json::parse(text))) continue;
      CAPTURE(seed, count, n, text, value);
      FAIL("read as something else");
    }
  }
}

TEST_CASE("json reader: it agrees with nlohmann's parser on damaged documents", "[wire]") {
  constexpr std::uint64_t seed = 2;
  JsonReader reader(default_depth);
  json value;
  for (auto [count, random] : batches(seed)) {
    int bad = 0;
    for (int n = 0; n < count; ++n) {
      const std::string text = random.mutated(random.next_text());
      const PaddedText padded(text);
      const bool good = !reader.read(padded.view(), value);
      const bool checked = !reader.check(padded.view());
      if (!good) ++bad;
      if (good == checked && (is_judged_otherwise(text) || agrees(text, good, value))) continue;
      CAPTURE(seed, count, n, json(text).dump(-1, ' ', true, json::error_handler_t::replace));
      CAPTURE(good, checked);
      FAIL("judged otherwise");
    }
    CHECK(bad > count / 2);
    CHECK(bad < count - count / 100);
  }
}

TEST_CASE("json reader: it gives only valid UTF-8, even for damaged documents", "[wire]") {
  constexpr std::uint64_t seed = 3;
  RandomJson random(seed);
  JsonReader reader(default_depth);
  json value;
  const int documents = scaled(5'000, 50'000);
  for (int n = 0; n < documents; ++n) {
    std::string text = random.next_text();
    for (int i = 0; i < 3; ++i) {
      text.insert(std::min(text.size(), text.find('"') + 1),
                  random.below(2) ? R"(\ud83d)" : R"(\ude00)");
    }
    const auto bad = read_over(reader, random.below(2) ? text : random.mutated(text), value);
    INFO("seed " << seed << ", document " << n << ": " << (bad ? bad->text() : "good"));
    REQUIRE_NOTHROW(value.dump());
    if (bad) REQUIRE_NOTHROW(json(bad->text()).dump());
  }
}

TEST_CASE("json writer: it agrees with dump() on random documents", "[wire]") {
  constexpr std::uint64_t seed = 4;
  RandomJson random(seed);
  ByteBuffer out;
  const int documents = scaled(5'000, 50'000);
  for (int n = 0; n < documents; ++n) {
    const json value = json::parse(random.next_text());
    out.truncate(0);
    const auto problem = write_json(value, default_depth, out);
    if (!problem && out.view() == value.dump()) continue;
    CAPTURE(seed, n, value, problem.value_or(""));
    FAIL("written as something else");
  }
}

TEST_CASE("json writer: a value that was written and read is written as the same text", "[wire]") {
  constexpr std::uint64_t seed = 5;
  RandomJson random(seed);
  JsonReader reader(default_depth);
  json value;
  const int documents = scaled(5'000, 50'000);
  for (int n = 0; n < documents; ++n) {
    const std::string text = random.next_text();
    ByteBuffer once;
    ByteBuffer twice;
    REQUIRE_FALSE(read_over(reader, text, value).has_value());
    REQUIRE_FALSE(write_json(value, default_depth, once).has_value());
    REQUIRE_FALSE(read_over(reader, once.view(), value).has_value());
    REQUIRE_FALSE(write_json(value, default_depth, twice).has_value());
    CAPTURE(seed, n, text);
    REQUIRE(twice.view() == once.view());
  }
}

TEST_CASE("json reader: it reads expected lines like any others", "[wire]") {
  constexpr std::uint64_t seed = 5;
  constexpr std::size_t most_lines = 40;
  RandomJson random(seed, RandomJson::small);
  JsonReader expecting(default_depth);
  json value;
  for (int n = 0; n < scaled(3'000, 30'000); ++n) {
    std::string lines;
    for (std::size_t i = random.below(most_lines); i > 0; --i) {
      std::string text = random.next_text();
      if (random.below(most_lines) == 0) text = random.mutated(text);
      std::replace(text.begin(), text.end(), '\n', ' ');
      lines += text + '\n';
    }
    const PaddedText padded(lines);
    std::string_view left = padded.view();
    expecting.expect(left);
    while (!left.empty()) {
      const std::string_view line = left.substr(0, left.find('\n'));
      left.remove_prefix(line.size() + 1);
      if (random.below(most_lines) == 0) continue;  // some expected lines are never read
      const auto bad = expecting.read(line, value);
      const ReadResult alone = read_text(line);
      CAPTURE(seed, n, lines, std::string(line));
      REQUIRE((bad ? bad->text() : "good") == (alone.bad ? alone.bad->text() : "good"));
      if (!bad) REQUIRE(same(value, alone.value));
    }
    expecting.expect({});
  }
}
