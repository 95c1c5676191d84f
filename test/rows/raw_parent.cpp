// A child that uses the library, under a parent that does not: the test itself reads and writes the
// bytes on a socket.
#include <algorithm>
#include <string>
#include <string_view>

#include "support/catch.hpp"
#include "support/odd_lines.hpp"
#include "support/raw_peer.hpp"
#include "support/test_loop.hpp"

TEST_CASE("row 11: under a raw parent, a child answers lines that come byte by byte", "[rows]") {
  const TestLoop checks_what_is_left;
  RawParent parent("echo");
  const std::string_view lines = "{\"a\":\"é😀\"}\n[1,2]\n\"\\u00e9\"\n";
  for (const char byte : lines) parent.channel().write({&byte, 1});
  parent.channel().expect("{\"a\":\"é😀\"}\n[1,2]\n\"é\"\n");
  parent.channel().close();
  CHECK(parent.wait() == 0);
}

TEST_CASE("row 11: under a raw parent, a line may be cut anywhere, also within a character",
          "[rows]") {
  const TestLoop checks_what_is_left;
  RawParent parent("echo");
  const std::string_view line = "{\"key\":\"\xC3\xA9\xF0\x9F\x98\x80\\n\"}\n";
  for (std::size_t cut = 1; cut < line.size(); ++cut) {
    parent.channel().write(line.substr(0, cut));
    parent.channel().write(line.substr(cut));
    parent.channel().expect(line);
  }
  // The child reads the two writes separately, because it answers the first line in between.
  for (std::size_t cut = 1; cut < line.size(); ++cut) {
    parent.channel().write("1\n" + std::string(line.substr(0, cut)));
    parent.channel().expect("1\n");
    parent.channel().write(line.substr(cut));
    parent.channel().expect(line);
  }
  parent.channel().half_close();
  CHECK(parent.wait() == 0);
}

TEST_CASE("row 8: under a raw parent, a half-close ends the channel, after the messages before it",
          "[rows]") {
  const TestLoop checks_what_is_left;
  RawParent parent("obey");
  parent.channel().write("1\n2\n{\"torn\":");
  parent.channel().half_close();
  const std::string answers = parent.channel().read_to_end();
  CHECK((answers.empty() || answers == "1\n2\n"));
  CHECK(parent.wait() == 0);
}

TEST_CASE("row 5: under a raw parent that dies, a child gets everything that was sent, in order",
          "[rows]") {
  const TestLoop checks_what_is_left;
  RawParent parent("heir", {"20000"});
  std::string lines;
  for (int i = 0; i < 20'000; ++i) lines += "{\"number\":" + std::to_string(i) + "}\n";
  parent.channel().write_all(lines + "{\"number\":20");
  parent.channel().close();
  CHECK(parent.wait() == 0);
}

TEST_CASE("row 12: under a raw parent, garbage is an error of the child, and the next lines arrive",
          "[rows]") {
  const TestLoop checks_what_is_left;
  RawParent parent("obey");
  for (const std::string garbage :
       {"", "garbage", "{\"a\":}", "\xFF\xFE", "[1", "\"\x01\"", "nul"}) {
    parent.channel().write(garbage + "\n");
    parent.channel().expect("{\"error\":\"what came in is no message, ");
    std::string rest;
    while (!rest.ends_with("\n")) rest += parent.channel().read_some(1);
    parent.channel().write("1\n");
    parent.channel().expect("1\n");
  }
  parent.channel().close();
  CHECK(parent.wait() == 0);
}

TEST_CASE(
    "row 18: under a raw parent, internal lines are not delivered, missing handles are refused",
    "[rows]") {
  const TestLoop checks_what_is_left;
  RawParent parent("obey");
  parent.channel().write(internal_nonsense());
  parent.channel().write("{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Socket\"}\n");
  std::string lines = parent.channel().read_until("NODE_HANDLE_NACK\"}\n");
  parent.channel().write("\"disconnect\"\n");
  lines += parent.channel().read_to_end();
  CHECK_THAT(lines, ContainsSubstring("{\"cmd\":\"NODE_HANDLE_NACK\"}\n"));
  CHECK_THAT(lines, !ContainsSubstring("error"));
  CHECK(parent.wait() == 0);
}

TEST_CASE("row 3: under a raw parent that is gone, a child that floods it ends", "[rows]") {
  const TestLoop checks_what_is_left;
  RawParent parent("flood", {"20000", "exit"});
  parent.channel().expect("{\"number\":0,");
  parent.channel().close();
  CHECK(parent.wait() == 0);
}

TEST_CASE("row 1: under a raw parent that reads slowly, a child writes all that it has accepted",
          "[rows]") {
  const TestLoop checks_what_is_left;
  RawParent parent("flood", {"3000", "exit"});
  const std::string all = parent.channel().read_to_end();
  CHECK(std::count(all.begin(), all.end(), '\n') == 3000);
  CHECK(parent.wait() == 0);
}

TEST_CASE("row 2: under a raw parent that ends at any byte, a child gets the complete lines",
          "[rows]") {
  const TestLoop checks_what_is_left;
  const std::string lines = "{\"number\":0}\n{\"number\":1,\"é\":\"😀\"}\n{\"number\":2}\n";
  for (std::size_t length = 0; length <= lines.size(); ++length) {
    const std::string prefix = lines.substr(0, length);
    RawParent parent("heir", {std::to_string(std::count(prefix.begin(), prefix.end(), '\n'))});
    parent.channel().write(prefix);
    parent.channel().close();
    CHECK(parent.wait() == 0);
  }
}

TEST_CASE("row 9: under a raw parent that ends without reading, a child gets all messages",
          "[rows]") {
  const TestLoop checks_what_is_left;
  RawParent parent("exchange", {"2000"});
  std::string lines;
  for (int i = 0; i < 2000; ++i) lines += "{\"number\":" + std::to_string(i) + "}\n";
  parent.channel().write_all(lines);
  parent.channel().expect("{\"number\":0,");
  parent.channel().close();
  CHECK(parent.wait() == 0);
}

TEST_CASE("row 10: under a raw parent, an incomplete last line is dropped, and is no error",
          "[rows]") {
  const TestLoop checks_what_is_left;
  for (const std::string torn : {"tru", "{\"a\":", "\"\xC3", "\"\\", "\"\\ud83d", " ", "-"}) {
    RawParent parent("heir", {"1"});
    parent.channel().write("{\"number\":0}\n" + torn);
    parent.channel().close();
    CHECK(parent.wait() == 0);
  }
}

TEST_CASE("row 38: under a raw parent, a listener of a child may do anything, in each event",
          "[rows]") {
  const std::string event =
      GENERATE(as<std::string>{}, "connected", "message", "error", "drain", "sent", "disconnect");
  const std::string action = GENERATE(as<std::string>{}, "throw", "disconnect", "send", "destroy",
                                      "fork", "pause", "remove", "exit");
  CAPTURE(event, action);
  const TestLoop checks_what_is_left;
  RawParent parent("meddle", {event, action});
  parent.channel().write_some("1\nbad\n2\n");  // the child may be gone already
  // Ends the channel only after the child has acted, unless the end is what the child waits for.
  if (event != "disconnect") parent.channel().read_until("acting");
  parent.channel().half_close();
  parent.channel().read_to_end();
  CHECK(parent.wait() == (action == "exit" ? 7 : 0));
}
