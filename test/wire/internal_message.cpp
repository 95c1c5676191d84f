#include "wire/internal_message.hpp"

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "support/catch.hpp"
#include "wire/json_lines.hpp"

using nlohmann::json;
using tine::wire::internal_command;

namespace {

bool may_be_internal(std::string_view text) {
  constexpr std::size_t max_depth = 1000;
  return tine::wire::JsonLines(max_depth).may_be_internal(text);
}

}  // namespace

TEST_CASE("internal message: it has a command if cmd starts with NODE_ and is longer", "[wire]") {
  CHECK(internal_command({{"cmd", "NODE_HANDLE_ACK"}}) == "NODE_HANDLE_ACK");
  CHECK(internal_command({{"cmd", "NODE_X"}}) == "NODE_X");
  CHECK(internal_command({{"cmd", "NODE__"}}) == "NODE__");
  CHECK(internal_command({{"seq", 0}, {"cmd", "NODE_CLUSTER"}, {"act", "online"}}) ==
        "NODE_CLUSTER");
  CHECK(internal_command({{"cmd", std::string("NODE_\0", 6)}}) == std::string("NODE_\0", 6));
}

TEST_CASE("internal message: a message with another cmd is ordinary", "[wire]") {
  CHECK(internal_command({{"cmd", "NODE_"}}).empty());
  CHECK(internal_command({{"cmd", "NODE"}}).empty());
  CHECK(internal_command({{"cmd", ""}}).empty());
  CHECK(internal_command({{"cmd", "node_x"}}).empty());
  CHECK(internal_command({{"cmd", " NODE_X"}}).empty());
  CHECK(internal_command({{"cmd", "XNODE_X"}}).empty());
  CHECK(internal_command({{"cmd", 5}}).empty());
  CHECK(internal_command({{"cmd", nullptr}}).empty());
  CHECK(internal_command({{"cmd", {"NODE_X"}}}).empty());
  CHECK(internal_command({{"cmd", {{"cmd", "NODE_X"}}}}).empty());
}

TEST_CASE("internal message: a message without a cmd of its own is ordinary", "[wire]") {
  CHECK(internal_command(json::object()).empty());
  CHECK(internal_command({{"CMD", "NODE_X"}}).empty());
  CHECK(internal_command({{"msg", {{"cmd", "NODE_X"}}}}).empty());
  CHECK(internal_command(json::array({"NODE_"})).empty());
  CHECK(internal_command(json::array({"cmd", "NODE_X"})).empty());
  CHECK(internal_command("NODE_X").empty());
  CHECK(internal_command(5).empty());
  CHECK(internal_command(nullptr).empty());
  CHECK(internal_command(true).empty());
}

TEST_CASE(
    "internal message: the text of each internal message is recognized, however it is written",
    "[wire]") {
  const auto text =
      GENERATE(as<std::string>{}, R"({"cmd":"NODE_X"})", R"({"cmd":"\u004eODE_X"})",
               R"({"cmd":"\u004EODE_X"})", R"({"cmd":"NODE\u005fX"})", R"({"cmd":"NOD\u0045_X"})",
               R"({"\u0063md":"NODE_X"})", R"({"cm\u0064":"\u004e\u004f\u0044\u0045\u005f\u0058"})",
               R"( { "a" : [ ] , "cmd" : "NODE_X" } )", R"({"cmd":"x","cmd":"NODE_X"})",
               R"({"cmd":"NODE_\n"})");
  CAPTURE(text);

  CHECK_FALSE(internal_command(json::parse(text)).empty());
  CHECK(may_be_internal(text));
}

TEST_CASE("internal message: a text without NODE_ and \\u is ordinary", "[wire]") {
  CHECK_FALSE(may_be_internal(""));
  CHECK_FALSE(may_be_internal(R"({"cmd":"node_x"})"));
  CHECK_FALSE(may_be_internal(R"({"cmd":"NODE"})"));
  CHECK_FALSE(may_be_internal(R"({"text":"a\nb\t\"\\ \/ é😀"})"));
}

TEST_CASE("internal message: the last cmd counts if there are several", "[wire]") {
  const std::string text = R"({"cmd":"NODE_X","cmd":"x"})";

  CHECK(may_be_internal(text));
  CHECK(internal_command(json::parse(text)).empty());
}
