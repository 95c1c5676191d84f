// The port that the inspector of a Node worker gets.
#include "cluster/inspect_port.hpp"

#include "support/catch.hpp"

using tine::cluster::inspect_port;
using Args = std::vector<std::string>;

TEST_CASE("inspect port: it is the given port plus the number of the worker", "[cluster]") {
  for (const char* option : {"--inspect=7000", "--inspect-brk=7000", "--inspect-wait=7000",
                             "--inspect=127.0.0.1:7000", "--inspect-port=[::1]:7000"}) {
    CHECK(inspect_port("", {"--no-warnings", option}, 0) == 7000);
    CHECK(inspect_port(option, {}, 3) == 7003);
  }
}

TEST_CASE("inspect port: the default is 9229", "[cluster]") {
  CHECK(inspect_port("", {"--inspect"}, 0) == 9229);
  CHECK(inspect_port("--no-warnings --inspect-brk=localhost", {}, 1) == 9230);
}

TEST_CASE("inspect port: the last option counts, and NODE_OPTIONS come before the command line",
          "[cluster]") {
  CHECK(inspect_port("--inspect=7000", {"--inspect=8000", "--inspect"}, 0) == 8000);
  CHECK(inspect_port("", {"--inspect-port=7000", "--inspect"}, 0) == 7000);
}

TEST_CASE("inspect port: after 65535 it continues at 1024", "[cluster]") {
  CHECK(inspect_port("--inspect=65535", {}, 0) == 65535);
  CHECK(inspect_port("--inspect=65535", {}, 1) == 1024);
  CHECK(inspect_port("--inspect=65535", {}, 1 + 64512) == 1024);
}

TEST_CASE("inspect port: there is none without an inspector, or if any free port will do",
          "[cluster]") {
  CHECK_FALSE(inspect_port("", {}, 0));
  CHECK_FALSE(inspect_port("--max-old-space-size=100", {"--inspector", "inspect"}, 0));
  CHECK_FALSE(inspect_port("--inspect=0", {}, 0));
}
