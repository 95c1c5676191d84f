// Bytes on a socket pair, with a line feed after each message and nothing else. No message layer
// can be faster.
#pragma once

#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace bench {

inline constexpr std::size_t chunk_size = 64 << 10;

[[noreturn]] inline void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

// Writes as many bytes as the kernel takes now, and returns their number.
inline std::size_t write_some(int descriptor, std::string_view bytes, int flags = 0) {
  const ssize_t count = send(descriptor, bytes.data(), bytes.size(), flags | MSG_NOSIGNAL);
  if (count >= 0) return static_cast<std::size_t>(count);
  if (errno == EAGAIN || errno == EINTR) return 0;
  fail("send");
}

inline void write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) bytes.remove_prefix(write_some(descriptor, bytes));
}

// Reads the bytes that have come, and blocks if there are none. Returns an empty text at EOF.
inline std::string_view read_some(int descriptor, char (&chunk)[chunk_size]) {
  const ssize_t count = read(descriptor, chunk, chunk_size);
  if (count < 0 && errno != ECONNRESET) fail("read");
  return {chunk, count < 0 ? 0 : static_cast<std::size_t>(count)};
}

}  // namespace bench
