#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "support/catch.hpp"
#include "support/test_loop.hpp"

namespace {

bool is_of_the_runtime(const std::string& file) {
  const std::string name = std::filesystem::path(file).filename().string();
  constexpr std::array libraries{"ld-", "libc.", "libm.", "libgcc_s.", "libstdc++.", "libc++"};
  return std::any_of(libraries.begin(), libraries.end(),
                     [&](const char* library) { return name.starts_with(library); });
}

// Returns the resident memory of a process in KiB, without the system's C and C++ libraries: every
// program has them, and their share differs with every release of the system.
int own_memory(int pid) {
  std::ifstream mappings("/proc/" + std::to_string(pid) + "/smaps");
  std::string file;
  int resident = 0;
  for (std::string line; std::getline(mappings, line);) {
    std::istringstream words(line);
    std::string first;
    words >> first;
    if (first == "Rss:") {
      int size = 0;
      words >> size;
      if (!is_of_the_runtime(file)) resident += size;
    } else if (!first.ends_with(
                   ':')) {  // a mapping: addresses, permissions, offset, device, inode, file
      std::string skipped;
      file.clear();
      for (int i = 0; i < 4; ++i) words >> skipped;
      words >> file;
    }
  }
  return resident;
}

}  // namespace

// Together with Debian 12's runtime, the child takes less than 5 MB.
TEST_CASE("memory: an idle child of the Hello pair takes less than 1.5 MB beside the C++ runtime",
          "[demo]") {
  TestLoop loop;
  int resident = -1;
  auto child = tine::fork(loop, RELEASE_CHILD);
  child.on<"message">([&](const std::string& answer) {
    CHECK(answer == "Hello to you too :)");
    resident = own_memory(child.pid().value());
    child.disconnect();
  });
  child.send("Hello");
  loop.run();
  CHECK(resident > 100);
  CHECK(resident < 1'500'000 / 1024);
}
