// References that are replaced by copies.
#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "support/catch.hpp"
#include "support/small_stack.hpp"
#include "tine/error.hpp"
#include "tine/references.hpp"
#include "wire/nested.hpp"
#include "wire/v8_message.hpp"

using namespace nlohmann::literals;
using nlohmann::json;
using tine::expand_references;

namespace {

// Returns the reason why a value is not expanded.
std::string problem(const json& part, const tine::ExpandLimits& limits = {}) {
  try {
    expand_references(part, limits);
  } catch (const tine::Error& error) {
    CHECK(error.code() == tine::Errc::bad_message);
    const std::string text = error.what();
    return text.substr(0, text.find(": bad message"));
  }
  return "";
}

json reference(const std::string& pointer) { return {{"$ref", pointer}}; }

// Returns a list in which each element consists of two references to the one before.
json doubling(std::size_t count) {
  json list = json::array({json::array()});
  for (std::size_t i = 0; i + 1 < count; ++i) {
    const json before = reference("2/" + std::to_string(i));
    list.push_back({before, before});
  }
  return list;
}

}  // namespace

TEST_CASE("expand references: a copy is in the place of each reference", "[wire]") {
  CHECK(expand_references(R"([{"x":1},{"$ref":"1/0"}])"_json) == R"([{"x":1},{"x":1}])"_json);
  CHECK(expand_references(R"({"a":[{"$ref":"2/b"}],"b":{"c":{"$ref":"2/d"}},"d":[1]})"_json) ==
        R"({"a":[{"c":[1]}],"b":{"c":[1]},"d":[1]})"_json);
  CHECK(expand_references(R"([{"$date":0},{"$map":[[{"$ref":"4/0"},{"$set":[]}],
                                                   [1,{"$ref":"2/0/1"}]]}])"_json) ==
        R"([{"$date":0},{"$map":[[{"$date":0},{"$set":[]}],[1,{"$set":[]}]]}])"_json);
  const json bytes = json::binary({1, 2, 3}, 1);
  CHECK(expand_references({bytes, {{"$ref", "1/0"}}}) == json({bytes, bytes}));
}

TEST_CASE("expand references: a value without references is the same", "[wire]") {
  for (const json& value : {json(), json(5), json("text"), json::array(), json::object(),
                            R"({"a":[{"b":1.5}],"$ref":"1"})"_json, R"({"$ref":"#/a"})"_json,
                            R"([{"$escape":{"$ref":"1/a"}}])"_json,
                            R"({"$array":{"$ref":"9"},"length":1})"_json, nested(5'000, 1)}) {
    CHECK((expand_references(value) == value));  // in parentheses, because one is very deep
  }
}

TEST_CASE("expand references: what looks like a reference stays plain beside others", "[wire]") {
  CHECK(expand_references(R"([[],{"$ref":"1/0"},{"$escape":{"$ref":"1/0"}}])"_json) ==
        R"([[],[],{"$escape":{"$ref":"1/0"}}])"_json);
}

TEST_CASE("expand references: a plain object is escaped, if it would look like one with a meaning",
          "[wire]") {
  CHECK(expand_references(R"([[1],{"$set":{"$ref":"2/0"}},{"$ref":"1/1"}])"_json) ==
        R"([[1],{"$escape":{"$set":[1]}},{"$escape":{"$set":[1]}}])"_json);
  CHECK(expand_references(R"([[1,2],{"$map":[{"$ref":"3/0"}]}])"_json) ==
        R"([[1,2],{"$escape":{"$map":[[1,2]]}}])"_json);
  CHECK(expand_references(R"([[1],{"$escape":{"$set":{"$ref":"3/0"}}}])"_json) ==
        R"([[1],{"$escape":{"$set":[1]}}])"_json);
  const json circular = R"({"$set":{"$ref":"1"}})"_json;
  const json escaped = R"({"$escape":{"$set":{"$ref":"2"}}})"_json;
  CHECK(expand_references(circular) == escaped);
  CHECK(expand_references(escaped) == escaped);
  CHECK(v8_bytes(escaped) == v8_bytes(circular));
  CHECK(problem(circular, {.max_depth = 2}) == "nested more than 2 deep, at /$escape/$set");
  CHECK(problem(circular, {.max_depth = 1}) == "nested more than 1 deep, at /$escape");
}

TEST_CASE("expand references: a reference to an object around it stays one", "[wire]") {
  const json circular = R"({"name":"circular","self":{"$ref":"1"}})"_json;
  CHECK(expand_references(circular) == circular);
  CHECK(expand_references({circular, {{"$ref", "1/0"}}}) == json({circular, circular}));
  // The copy of /a is one level deeper than /a.
  CHECK(expand_references(R"({"a":{"up":{"$ref":"2"}},"b":[{"$ref":"2/a"}]})"_json) ==
        R"({"a":{"up":{"$ref":"2"}},"b":[{"up":{"$ref":"3"}}]})"_json);
  // Two objects that have each other.
  CHECK(expand_references(R"([{"b":{"a":{"$ref":"2"}}},{"$ref":"1/0/b"}])"_json) ==
        R"([{"b":{"a":{"$ref":"2"}}},{"a":{"b":{"a":{"$ref":"2"}}}}])"_json);
  CHECK(expand_references(R"({"$set":[{"$map":[[{"$ref":"5"},[{"$ref":"4"}]]]}]})"_json) ==
        R"({"$set":[{"$map":[[{"$ref":"5"},[{"$ref":"4"}]]]}]})"_json);
}

TEST_CASE("expand references: what is expanded is the same value to JavaScript", "[wire]") {
  const json message = R"([{"a":{"up":{"$ref":"2"}},"b":[{"$ref":"2/a"}]},{"$ref":"1/0/a"}])"_json;
  const json expanded = expand_references(message);
  CHECK(v8_value(v8_bytes(expanded)) == expanded);
  CHECK(expand_references(expanded) == expanded);
}

TEST_CASE("expand references: a reference that leads out of the part is an error", "[wire]") {
  CHECK(problem(R"({"$ref":"1"})"_json) == "a $ref that names nothing");
  CHECK(problem(R"([{"a":{"$ref":"3/0"}}])"_json) == "a $ref that names nothing, at /0/a");
  CHECK(problem(R"([[],{"a/b":[0,{"$ref":"1/9"}]}])"_json) ==
        "a $ref that names nothing, at /1/a~1b/1");
  CHECK(problem(R"([1,{"$ref":"1/0"}])"_json) == "a $ref that names no object, at /1");
  CHECK(problem(R"([{"$ref":"1/1"},{"$ref":"1/0"}])"_json) == "a $ref that names no object, at /0");
}

TEST_CASE("expand references: copies that are too large together are an error", "[wire]") {
  CHECK(expand_references(doubling(10)).size() == 10);
  CHECK(problem(doubling(100), {.copied_bytes = 1'000'000})
            .starts_with("references to objects that are too large together, at /"));
  CHECK(problem(doubling(10), {.copied_bytes = 1'000}) != "");

  json text{json::array({std::string(1'000, 'x')}), {{"$ref", "1/0"}}};
  CHECK(problem(text, {.copied_bytes = 2'000}) == "");
  CHECK(problem(text, {.copied_bytes = 1'000}) ==
        "references to objects that are too large together, at /1/0");
  text[0] = {{std::string(1'000, 'k'), 1}};
  CHECK(problem(text, {.copied_bytes = 1'000}) != "");
  text[0] = json::binary(std::vector<std::uint8_t>(1'000));
  CHECK(problem(text, {.copied_bytes = 1'000}) != "");
  // In each copy of /0 are a hundred references to the root, which stay.
  json circular = json::array({json::array_t(100, reference("2"))});
  for (int i = 0; i < 100; ++i) circular.push_back(reference("1/0"));
  CHECK(problem(circular, {.copied_bytes = 100'000}) != "");
}

TEST_CASE("expand references: copies that are nested too deep are an error", "[wire]") {
  const json part{nested(5, 1), nested(5, reference("6/0"))};
  CHECK(problem(part, {.max_depth = 11}) == "");
  CHECK(problem(part, {.max_depth = 10}) == "nested more than 10 deep, at /1/0/0/0/0/0/0/0/0/0");
  CHECK(problem({{"a", {{"$ref", "1"}}}}, {.max_depth = 1}) == "nested more than 1 deep, at /a");
  // Each element is in the next one.
  json chain = json::array({json::array()});
  for (int i = 0; i < 4'000; ++i) {
    chain.push_back(json::array({reference("2/" + std::to_string(i))}));
  }
  CHECK(problem(chain).starts_with("nested more than 1000 deep, at /"));
  CHECK(problem(chain, {.copied_bytes = 1'000'000, .max_depth = SIZE_MAX})
            .starts_with("references to objects that are too"));
}

TEST_CASE("expand references: deep copies fit a stack of 256 KiB", "[wire]") {
  const json part{nested(400, {{"x", 1}}), nested(400, reference("401/0"))};
  std::size_t size = 0;
  run_on_stack(std::size_t{256} << 10, [&] { size = expand_references(part).size(); });
  CHECK(size == 2);
}
