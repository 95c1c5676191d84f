// A worker of the pool demo: it hashes files. It crashes at files named *.crash, and hangs at files
// named *.hang, as programs that read what others have written do now and then.
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>

#include <unistd.h>

#include <tine/tine.hpp>

namespace {

// FNV-1a with 64 bits.
std::string hash_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  std::uint64_t hash = 0xcbf29ce484222325;
  for (char byte; file.get(byte);) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  }
  std::ostringstream text;
  text << std::hex << std::setw(16) << std::setfill('0') << hash;
  return text.str();
}

std::string answer(const std::string& name) {
  const std::filesystem::path path(name);
  if (path.extension() == ".crash") {
    std::cerr << "[Child] cannot bear " << name << std::endl;
    raise(SIGSEGV);
  }
  while (path.extension() == ".hang") pause();
  return hash_of(path);
}

}  // namespace

int main() {
  tine::Loop loop;
  tine::Process process(loop);
  tine::Rpc rpc(process);
  rpc.on_request("hash", answer);
  loop.run();
}
