// tine::Object and tine::Array as messages.
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/test_loop.hpp"

using nlohmann::json;

TEST_CASE("object: it arrives as the value that it converts to", "[process]") {
  const auto serialization = GENERATE(tine::Serialization::json, tine::Serialization::advanced);
  TestLoop loop;
  auto child = loop.fork("echo", {.serialization = serialization});
  const auto object = tine::object("text", "a\n", "list", tine::args(1, nullptr, 2.5), "value",
                                   json{{"deep", {1}}}, "inner", tine::object());
  std::vector<json> came;
  child.on<"message">([&](const json& message) {
    came.push_back(message);
    if (came.size() == 3) child.disconnect();
  });
  ExpectCalls sent(1);
  CHECK(child.send(object));
  CHECK(child.send(tine::args(object, 1), [&](std::error_code error) {
    CHECK_FALSE(error);
    sent();
  }));
  CHECK(child.send(object, tine::SharedBuffer("bytes")));
  loop.run();
  CHECK(came == std::vector<json>{object, json{object, 1}, object});
}

TEST_CASE("object: one that cannot be written is refused", "[process]") {
  const auto serialization = GENERATE(tine::Serialization::json, tine::Serialization::advanced);
  TestLoop loop;
  auto child = loop.fork("echo", {.serialization = serialization});
  ExpectCalls refused(2);
  const auto is_refused = [&](std::error_code error) {
    CHECK(error == tine::Errc::invalid_value);
    refused();
  };
  child.send(tine::object("a", "\xFF"), is_refused);
  child.send(tine::args("\xFF"), tine::SharedBuffer("bytes"), is_refused);
  child.once<"message">([&](const json& message) {
    CHECK(message == json{1});
    child.disconnect();
  });
  child.send(tine::args(1));
  loop.run();
}

TEST_CASE("object: advanced serialization keeps what JSON lacks", "[process]") {
  TestLoop loop;
  auto child = loop.fork("echo", {.serialization = tine::Serialization::advanced});
  const json bytes = json::binary({1, 2, 3});
  child.once<"message">([&](const json& message) {
    CHECK(message == json{{"bytes", bytes}, {"date", {{"$date", 0}}}});
    child.disconnect();
  });
  child.send(tine::object("bytes", bytes, "date", tine::object("$date", 0)));
  loop.run();
}
