// tine::Object and tine::Array: what they convert to, and what is written of them.
#include "tine/object.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/byte_buffer.hpp"
#include "support/catch.hpp"
#include "wire/json_writer.hpp"

using nlohmann::json;
using tine::args;
using tine::object;

namespace {

struct Point {
  int x;
  int y;
};
void to_json(json& to, const Point& point) { to = {{"x", point.x}, {"y", point.y}}; }

enum class Color { red, green };

constexpr std::size_t deepest = 4;

template <class T>
std::string written(const T& value) {
  tine::base::ByteBuffer out;
  if (const auto problem = tine::wire::write_json(value, deepest, out)) return "! " + *problem;
  return std::string(out.view());
}

}  // namespace

TEST_CASE("object: values of all types", "[base]") {
  const std::string text = "own";
  const std::string_view view = "view";
  const char* const pointer = "pointer";
  const auto values = args(nullptr, true, 'a', -1, 7U, std::numeric_limits<std::int64_t>::min(),
                           std::numeric_limits<std::uint64_t>::max(), 1.5F, 2.5, "literal", text,
                           view, pointer, Color::green, Point{1, 2}, std::vector<int>{1, 2},
                           std::map<std::string, int>{{"k", 1}}, std::vector<Point>{{3, 4}},
                           json{{"b", 1}, {"a", 2}}, args(), object(), object("o", args(1)));
  const json expected = {nullptr,
                         true,
                         'a',
                         -1,
                         7U,
                         std::numeric_limits<std::int64_t>::min(),
                         std::numeric_limits<std::uint64_t>::max(),
                         1.5F,
                         2.5,
                         "literal",
                         "own",
                         "view",
                         "pointer",
                         Color::green,
                         Point{1, 2},
                         {1, 2},
                         {{"k", 1}},
                         json::array({Point{3, 4}}),
                         {{"b", 1}, {"a", 2}},
                         json::array(),
                         json::object(),
                         {{"o", {1}}}};
  CHECK(json(values) == expected);
  CHECK(json(values).dump() == expected.dump());
  CHECK(written(values) == expected.dump());
  CHECK(values.size() == expected.size());
}

TEST_CASE("object: members come in the order in which they were set", "[base]") {
  auto value = object("b", 1, "a", 2);
  value.set("c", args()).set("b", "again");
  CHECK(written(value) == R"({"b":"again","a":2,"c":[]})");
  CHECK(json(value) == json{{"a", 2}, {"b", "again"}, {"c", json::array()}});
  CHECK(value.size() == 3);
  CHECK_FALSE(value.empty());
  CHECK(object().empty());
  CHECK(written(object()) == "{}");
  CHECK(written(args()) == "[]");
}

TEST_CASE("object: it owns its values", "[base]") {
  tine::Object value;
  tine::Array items;
  {
    const std::string name(100, 'n');
    const std::string text(100, 't');
    items.add(text);
    value.set(name, text).set("items", items);
  }
  items.add(1);
  const tine::Object copy = value;
  value.set("more", 1);
  CHECK(json(copy) ==
        json{{std::string(100, 'n'), std::string(100, 't')}, {"items", {std::string(100, 't')}}});
  CHECK(json(std::move(value)).size() == 3);
}

TEST_CASE("object: it is a value of nlohmann::json as any type is", "[base]") {
  json value = object("a", 1);
  value["more"] = args(1, 2);
  value["list"].push_back(object("b", args()));
  CHECK(value == json::parse(R"({"a":1,"more":[1,2],"list":[{"b":[]}]})"));
  CHECK(json(std::vector<tine::Object>{object("a", 1)}) == json::parse(R"([{"a":1}])"));
}

TEST_CASE("object: text needs escapes and must be UTF-8", "[base]") {
  CHECK(written(object("a\"\n", "\x01\\")) == R"({"a\"\n":"\u0001\\"})");
  CHECK(written(object("\xFF", 1)) == "! a string is not valid UTF-8");
  CHECK(written(args("\xFF")) == "! a string is not valid UTF-8");
  CHECK(written(args(json("\xFF"))) == "! a string is not valid UTF-8");
}

TEST_CASE("object: numbers that are not finite, and bytes, are as in dump()", "[base]") {
  const json bytes = json::binary({1, 2}, 3);
  const auto value = args(std::nan(""), HUGE_VAL, bytes);
  CHECK(written(value) == "[null,null," + bytes.dump() + "]");
}

TEST_CASE("object: the depth is that of all values together", "[base]") {
  CHECK(written(args(object("a", args(args())))) == R"([{"a":[[]]}])");
  CHECK(written(args(args(args(args(args()))))) == "! nested too deeply");
  CHECK(written(object("a", args(json::parse("[[]]")))) == R"({"a":[[[]]]})");
  CHECK(written(object("a", args(json::parse("[[[]]]")))) == "! nested too deeply");
}
