// A child of the library's under a parent that is none of it: bytes on a socket.
#include <algorithm>
#include <string>
#include <string_view>

#include "support/catch.hpp"
#include "support/raw_peer.hpp"
#include "support/test_loop.hpp"

TEST_CASE("raw parent: a child answers what comes byte by byte", "[faults]") {
  const TestLoop checks_what_is_left;
  RawParent parent("echo");
  const std::string_view lines = "{\"a\":\"é😀\"}\n[1,2]\n\"\\u00e9\"\n";
  for (const char byte : lines) parent.channel().write({&byte, 1});
  parent.channel().expect("{\"a\":\"é😀\"}\n[1,2]\n\"é\"\n");
  parent.channel().close();
  CHECK(parent.wait() == 0);
}

TEST_CASE("raw parent: two writes may be cut anywhere, in a character too", "[faults]") {
  const TestLoop checks_what_is_left;
  RawParent parent("echo");
  const std::string_view line = "{\"key\":\"\xC3\xA9\xF0\x9F\x98\x80\\n\"}\n";
  for (std::size_t cut = 1; cut < line.size(); ++cut) {
    parent.channel().write(line.substr(0, cut));
    parent.channel().write(line.substr(cut));
    parent.channel().expect(line);
  }
  // What stands in two writes is read in two: the child has answered the first line in between.
  for (std::size_t cut = 1; cut < line.size(); ++cut) {
    parent.channel().write("1\n" + std::string(line.substr(0, cut)));
    parent.channel().expect("1\n");
    parent.channel().write(line.substr(cut));
    parent.channel().expect(line);
  }
  parent.channel().half_close();
  CHECK(parent.wait() == 0);
}

TEST_CASE("raw parent: a half-close is the end for the child, after what came before", "[faults]") {
  const TestLoop checks_what_is_left;
  RawParent parent("obey");
  parent.channel().write("1\n2\n{\"torn\":");
  parent.channel().half_close();
  const std::string answers = parent.channel().read_to_end();
  CHECK((answers.empty() || answers == "1\n2\n"));
  CHECK(parent.wait() == 0);
}

TEST_CASE("raw parent: a child takes what it was sent, in order, when the parent dies",
          "[faults]") {
  const TestLoop checks_what_is_left;
  RawParent parent("heir", {"20000"});
  std::string lines;
  for (int i = 0; i < 20'000; ++i) lines += "{\"number\":" + std::to_string(i) + "}\n";
  parent.channel().write_all(lines + "{\"number\":20");
  parent.channel().close();
  CHECK(parent.wait() == 0);
}

TEST_CASE("raw parent: garbage is an error for the child, and the lines after it are told",
          "[faults]") {
  const TestLoop checks_what_is_left;
  RawParent parent("obey");
  for (const std::string garbage :
       {"", "garbage", "{\"a\":}", "\xFF\xFE", "[1", "\"\x01\"", "nul"}) {
    parent.channel().write(garbage + "\n");
    parent.channel().expect("{\"error\":\"a line that came in is no message, ");
    std::string rest;
    while (!rest.ends_with("\n")) rest += parent.channel().read_some(1);
    parent.channel().write("1\n");
    parent.channel().expect("1\n");
  }
  parent.channel().close();
  CHECK(parent.wait() == 0);
}

TEST_CASE("raw parent: internal lines are told to nobody, a handle is refused", "[faults]") {
  const TestLoop checks_what_is_left;
  RawParent parent("obey");
  parent.channel().write("{\"cmd\":\"NODE_CLUSTER\",\"act\":7}\n{\"cmd\":\"NODE_HANDLE_ACK\"}\n");
  parent.channel().write("{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Socket\"}\n");
  parent.channel().expect("{\"cmd\":\"NODE_HANDLE_NACK\"}\n{\"error\":\"");
  parent.channel().write("\"disconnect\"\n");
  CHECK_THAT(parent.channel().read_to_end(), ContainsSubstring("handle"));
  CHECK(parent.wait() == 0);
}

TEST_CASE("raw parent: a child that floods a parent that is gone ends", "[faults]") {
  const TestLoop checks_what_is_left;
  RawParent parent("flood", {"20000", "exit"});
  parent.channel().expect("{\"number\":0,");
  parent.channel().close();
  CHECK(parent.wait() == 0);
}

TEST_CASE("raw parent: what a child accepted is written to a parent that reads slowly",
          "[faults]") {
  const TestLoop checks_what_is_left;
  RawParent parent("flood", {"3000", "exit"});
  const std::string all = parent.channel().read_to_end();
  CHECK(std::count(all.begin(), all.end(), '\n') == 3000);
  CHECK(parent.wait() == 0);
}
