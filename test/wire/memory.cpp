// Reading a message when memory runs out.
#include <new>
#include <string>
#include <string_view>

#include "base/byte_buffer.hpp"
#include "support/catch.hpp"
#include "wire/heap.hpp"
#include "wire/json_reader.hpp"

using nlohmann::json;

namespace {

// Returns whether the value was read. std::bad_alloc is the only exception that is expected.
bool read_after(int allocations, tine::wire::JsonReader& reader, std::string_view text,
                json& value) {
  heap::fail_after(allocations);
  bool read = true;
  try {
    if (reader.read(text, value)) FAIL("the text is bad");
  } catch (const std::bad_alloc&) {
    read = false;
  }
  heap::fail_after(-1);
  return read;
}

}  // namespace

TEST_CASE("json reader: it destroys the members of the last message without memory", "[wire]") {
  const std::string last = R"({"a":{"b":[{"c":[1]}]},"b":[[[2]]],"c":{"d":{"e":3}}})";
  const std::string next =
      GENERATE(as<std::string>{}, "1", "-1", "0.5", "true", "null", R"("text")", "[[]]", "{}",
               R"({"a":1,"b":[[],[]]})", R"({"a":[],"b":{},"c":"d"})", R"({"b":[],"d":[]})");
  const std::string padded = next + std::string(tine::base::padding, ' ');
  const std::string last_padded = last + std::string(tine::base::padding, ' ');
  tine::wire::JsonReader reader(100);
  bool done = false;
  for (int allocations = 0; !done; ++allocations) {
    json value;
    REQUIRE_FALSE(reader.read({last_padded.data(), last.size()}, value));
    done = read_after(allocations, reader, {padded.data(), next.size()}, value);
    if (done) CHECK(value == json::parse(next));
  }
}
