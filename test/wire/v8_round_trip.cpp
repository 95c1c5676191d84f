// Random values, written and read again.
#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/byte_buffer.hpp"
#include "support/catch.hpp"
#include "support/scale.hpp"
#include "wire/random_json.hpp"
#include "wire/random_v8.hpp"
#include "wire/v8_json.hpp"
#include "wire/v8_message.hpp"

using nlohmann::json;
using tine::base::ByteBuffer;
using tine::wire::V8Reader;
using tine::wire::V8Writer;

TEST_CASE("v8 round trip: a value is the same, when it was written and read", "[wire]") {
  constexpr std::uint64_t seed = 8;
  RandomV8 random(seed);
  V8Reader reader(default_depth);
  V8Writer writer(default_depth);
  ByteBuffer out;
  json read_over;
  const int values = scaled(20'000, 1'000'000);
  for (int n = 0; n < values; ++n) {
    const json value = random.next();
    out.truncate(0);
    REQUIRE_FALSE(writer.write(value, out).has_value());
    const auto bad = reader.read(out.view(), read_over);
    const ReadResult result = read_v8(out.view());
    if (!bad && same(read_over, value) && same(result.value, value)) continue;
    CAPTURE(seed, n, value, result.value, read_over);
    FAIL("read as something else");
  }
}

TEST_CASE("v8 round trip: the JSON text of a value is written as the value is", "[wire]") {
  RandomV8 random(11);
  const int values = scaled(5'000, 200'000);
  for (int n = 0; n < values; ++n) {
    const json value = random.next();
    const std::string text = tine::wire::json_text(value);
    const ReadResult parsed = read_text(text);
    REQUIRE_FALSE(parsed.bad.has_value());
    CAPTURE(n, text);
    REQUIRE(v8_bytes(parsed.value) == v8_bytes(value));
  }
}

TEST_CASE("v8 round trip: a message is refused, when it is cut anywhere", "[wire]") {
  RandomV8 random(9);
  const int values = scaled(500, 20'000);
  for (int n = 0; n < values; ++n) {
    const std::string message = v8_message(v8_bytes(random.next()));
    const std::size_t step = 1 + message.size() / 200;
    for (std::size_t size = 0; size < message.size(); size += step) {
      CAPTURE(n, size);
      REQUIRE(read_v8(message.substr(0, size)).bad.has_value());
    }
  }
}

TEST_CASE("v8 round trip: documents of JSON are the same, when they were written and read",
          "[wire]") {
  RandomJson random(10);
  const int documents = scaled(3'000, 50'000);
  for (int n = 0; n < documents; ++n) {
    const json value = json::parse(random.next_text());
    const json read = v8_value(v8_bytes(value));
    // A double without a fraction is an integer to JavaScript.
    CAPTURE(n, value, read);
    REQUIRE(read == value);
  }
}
