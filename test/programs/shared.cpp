// Does with the shared buffer that comes with a message what the "do" of the message names:
//
//   "read"         sends {"text": TEXT, "inode": N}: its bytes, and the inode of its memory
//   "last"         sends {"last": BYTE, "grown": N}: its last byte, and how many bytes more this
//                  process has in memory after it has read that byte
//   "return"       sends the message back, with the buffer
//   "make"         sends {"made": SIZE} with a buffer of that "size", which it fills in place
//   "descriptors"  sends the number of its open descriptors
//
// It sends {"none": MESSAGE} for each other message without a buffer, and {"error": TEXT} for each
// error.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <sstream>
#include <string>

#include <unistd.h>

#include <tine/tine.hpp>

namespace {

using nlohmann::json;

std::ptrdiff_t open_descriptors() {
  const std::filesystem::directory_iterator open("/proc/self/fd");
  return std::distance(begin(open), end(open)) - 1;  // the directory's own is listed too
}

long resident_bytes() {
  std::ifstream pages("/proc/self/statm");
  long all = 0;
  long resident = 0;
  pages >> all >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

// Returns the inode of the file that is mapped at an address; null if none is.
json inode_at(const void* address) {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    std::istringstream words(line);
    std::uintptr_t begin = 0;
    char dash = 0;
    std::string end, access, offset, device;
    unsigned long inode = 0;
    words >> std::hex >> begin >> dash >> end >> access >> offset >> device >> std::dec >> inode;
    if (begin == reinterpret_cast<std::uintptr_t>(address)) return inode;
  }
  return nullptr;
}

json last_byte(const tine::SharedBuffer& buffer) {
  const long before = resident_bytes();
  const json last = buffer.text().substr(buffer.size() - 1);
  return {{"last", last}, {"grown", resident_bytes() - before}};
}

void send_made(const tine::Process& process, std::size_t size) {
  const auto fill = [](std::span<std::byte> to) {
    for (std::byte& byte : to) byte = std::byte{'m'};
  };
  process.send({{"made", size}}, tine::SharedBuffer::make(size, fill));
}

}  // namespace

int main() {
  tine::Loop loop;
  tine::Process process(loop);
  process.on<"error">([&](const tine::Error& error) { process.send({{"error", error.what()}}); });
  process.on<"message">([&](const json& message, const tine::SharedBuffer& buffer) {
    const std::string what = message.is_object() ? message.value("do", "") : "";
    if (what == "make") return send_made(process, message["size"]);
    if (what == "descriptors") return static_cast<void>(process.send(open_descriptors()));
    if (!buffer) return static_cast<void>(process.send({{"none", message}}));
    if (what == "last") return static_cast<void>(process.send(last_byte(buffer)));
    if (what == "return") return static_cast<void>(process.send(message, buffer));
    process.send({{"text", buffer.text()}, {"inode", inode_at(buffer.bytes().data())}});
  });
  loop.run();
}
