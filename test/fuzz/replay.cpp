// Runs a target on files, for compilers without libFuzzer, and to look at a single input.
//
// Usage: fuzz_<target> file-or-folder…
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "fuzz/fuzz.hpp"

namespace fs = std::filesystem;

namespace {

bool replay(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(stream), {}};
  if (!stream.good() && !stream.eof()) return false;
  std::fprintf(stderr, "%s: %zu bytes\n", file.c_str(), bytes.size());
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  return true;
}

int replay_all(const fs::path& path) {
  if (!fs::is_directory(path)) return replay(path) ? 1 : 0;
  int replayed = 0;
  for (const auto& entry : fs::directory_iterator(path)) replayed += replay_all(entry.path());
  return replayed;
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (replay_all(argv[i]) > 0) continue;
    std::fprintf(stderr, "%s: nothing to replay\n", argv[i]);
    return 1;
  }
  return argc > 1 ? 0 : 1;
}
