// The parent of the pool demo: hashes all files of a folder in as many children as there are CPUs. Some
// files crash a child, and some hang it; each file gets one line all the same.
//
// Usage: parent [FOLDER [CHILD]]
#include <chrono>
#include <filesystem>
#include <iostream>
#include <string>

#include <unistd.h>

#include <tine/tine.hpp>

namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

// Shows on a terminal how many files are done.
class Progress {
 public:
  void show(std::size_t done, std::size_t all) const {
    if (!terminal_) return;
    constexpr std::size_t width = 40;
    const std::size_t filled = all == 0 ? width : width * done / all;
    std::cerr << "\r[" << std::string(filled, '#') << std::string(width - filled, ' ') << "] "
              << done << "/" << all << std::flush;
  }
  void end() const {
    if (terminal_) std::cerr << std::endl;
  }

 private:
  bool terminal_ = isatty(STDERR_FILENO) == 1;
};

// Why a file has no hash, in one line.
std::string first_line(const tine::RpcError& error) {
  const std::string text = error.what();
  return text.substr(0, text.find('\n'));
}

}  // namespace

int main(int argc, char** argv) {
  const fs::path folder = argc > 1 ? argv[1] : ".";
  const fs::path module = argc > 2 ? fs::path(argv[2]) : tine::executable_dir() / "child";
  tine::PoolOptions options{.queue_limit = 1'000'000};
  if (module.extension() == ".js") options.fork.exec_path = "node";

  tine::Loop loop;
  const tine::Pool pool(loop, module, options);
  const Progress progress;
  std::size_t all = 0;
  std::size_t done = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    ++all;
    const std::string name = entry.path().string();
    pool.run("hash", name)
        .run_within(2s)
        .retries(1)
        .then([&, name](const tine::Result<std::string>& hash) {
          std::cout << (hash ? *hash : first_line(hash.error())) << "  " << name << std::endl;
          progress.show(++done, all);
        });
  }
  pool.close();
  loop.run();
  progress.end();
}
