#include <fstream>
#include <string>

#include "support/catch.hpp"
#include "support/test_loop.hpp"

namespace {

// In KiB.
int resident_memory(int pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::stoi(line.substr(6));
  }
  return -1;
}

}  // namespace

TEST_CASE("memory: a child of the Hello kind, when idle, takes less than 5 MB", "[demo]") {
  TestLoop loop;
  int resident = -1;
  auto child = tine::fork(loop, RELEASE_CHILD);
  child.on<"message">([&](const std::string& answer) {
    CHECK(answer == "Hello to you too :)");
    resident = resident_memory(child.pid().value());
    child.disconnect();
  });
  child.send("Hello");
  loop.run();
  CHECK(resident > 0);
  CHECK(resident < 5'000'000 / 1024);
}
