#include "pool/pass_on.hpp"

#include <cerrno>
#include <cstddef>

#include <poll.h>
#include <unistd.h>

namespace tine::pool {

void pass_on_to_stderr(std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      pollfd writable{STDERR_FILENO, POLLOUT, 0};  // another process has made it non-blocking
      poll(&writable, 1, -1);
    } else if (errno != EINTR) {
      return;
    }
  }
}

}  // namespace tine::pool
