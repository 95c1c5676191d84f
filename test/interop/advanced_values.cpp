// A C++ parent makes values that JSON has no word for, and Node compares them with its own. The child
// runs advanced_values_child.js with the Node that TINE_TEST_RUNTIME names.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/test_loop.hpp"

using nlohmann::json;

namespace {

json buffer_of(std::size_t size, const std::string& filling) {
  json::binary_t bytes;
  bytes.reserve(size);
  while (bytes.size() < size) bytes.insert(bytes.end(), filling.begin(), filling.end());
  return bytes;
}

// Returns the first values of advanced_values.js, each as the member of a message.
std::vector<json> messages() {
  const std::string bits_200 = "8" + std::string(49, '0');
  const std::vector<json> values{
      buffer_of(std::size_t{8} << 20, "tine"),
      json::parse(R"({"$map":[["inner",{"$map":[[1,"one"],
                                                [{"key":"object"},{"$set":[1,"two",null]}]]}]]})"),
      {{"$date", 1'796'000'523'456}},
      {{"$bigint", "0x" + bits_200}},
      {{"$bigint", "-0x" + bits_200}},
      std::numeric_limits<std::int64_t>::max(),
      std::numeric_limits<std::int64_t>::min(),
      json::parse(R"({"$set":["a",1,{"$set":[]}]})"),
      json::parse(R"({"list":[{"$ref":"2"}],"name":"circular","self":{"$ref":"1"}})"),
  };
  std::vector<json> messages;
  for (const json& value : values) messages.push_back({{"value", value}});
  return messages;
}

}  // namespace

TEST_CASE("advanced values: what a C++ parent makes is what Node says, and comes back") {
  const std::vector<json> sent = messages();
  TestLoop loop;
  tine::ForkOptions options;
  const char* const runtime = std::getenv("TINE_TEST_RUNTIME");
  options.exec_path = runtime == nullptr ? "node" : runtime;
  options.serialization = tine::Serialization::advanced;
  options.kill_with_loop = true;
  auto child = tine::fork(loop, std::filesystem::path(INTEROP_SCRIPTS) / "advanced_values_child.js",
                          options);
  std::size_t came = 0;
  child.on<"message">([&](const json& message) {
    REQUIRE(came < sent.size());
    CHECK((message == sent[came]));  // in parentheses, because one is too long to be printed
    if (++came == sent.size()) child.disconnect();
  });
  for (const json& message : sent) child.send(message);
  loop.run();
  CHECK(came == sent.size());
  CHECK(child.exit_code() == 0);
}
