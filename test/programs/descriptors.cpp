// Answers each message with the kinds of the descriptors that came with it. Writes the kind to each
// pipe and file.
#include <string>

#include <sys/stat.h>
#include <unistd.h>

#include <tine/tine.hpp>

namespace {

std::string kind_of(int fd) {
  struct stat status {};
  fstat(fd, &status);
  if (S_ISFIFO(status.st_mode)) return "pipe";
  if (S_ISREG(status.st_mode)) return "file";
  if (S_ISDIR(status.st_mode)) return "directory";
  return "eventfd";
}

}  // namespace

int main() {
  tine::Loop loop;
  tine::Process process(loop);
  process.on<"message">([&](const nlohmann::json&, const tine::Handle& handle) {
    const tine::Descriptors open = handle.descriptors();
    nlohmann::json kinds = nlohmann::json::array();
    for (std::size_t i = 0; i < open.size(); ++i) {
      const std::string kind = kind_of(open.get(i));
      if (kind == "pipe" || kind == "file") {
        if (write(open.get(i), kind.data(), kind.size()) < 0) return process.exit(1);
      }
      kinds.push_back(kind);
    }
    process.send(kinds);
  });
  loop.run();
}
