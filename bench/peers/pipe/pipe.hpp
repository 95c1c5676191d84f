// Reads and writes that block until all bytes are through a pipe.
#pragma once

#include <cerrno>
#include <cstddef>
#include <string_view>
#include <system_error>

#include <unistd.h>

namespace bench {

[[noreturn]] inline void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

inline void write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(descriptor, bytes.data(), bytes.size());
    if (count < 0) fail("write");
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

// Returns false at EOF.
inline bool read_all(int descriptor, void* to, std::size_t size) {
  for (std::size_t done = 0; done < size;) {
    const ssize_t count = read(descriptor, static_cast<char*>(to) + done, size - done);
    if (count < 0) fail("read");
    if (count == 0) return false;
    done += static_cast<std::size_t>(count);
  }
  return true;
}

}  // namespace bench
