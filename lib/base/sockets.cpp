#include "base/sockets.hpp"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace tine::base {

namespace {

#ifndef __linux__
// macOS: for a moment, a fork() in another thread can take the descriptor along.
Descriptor prepared(int fd) {
  Descriptor descriptor(fd);
  if (fd < 0) return descriptor;
  const int error = prepare(fd);
  if (error == 0) return descriptor;
  ::close(descriptor.release());
  errno = error;
  return descriptor;
}
#endif

}  // namespace

Descriptor make_socket(int family, int type) {
#ifdef __linux__
  return Descriptor(::socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
#else
  return prepared(::socket(family, type, 0));
#endif
}

Descriptor accept_connection(int listener) {
  int fd = -1;
  do {
#ifdef __linux__
    fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
#else
    fd = ::accept(listener, nullptr, nullptr);
#endif
  } while (fd < 0 && errno == EINTR);
#ifdef __linux__
  return Descriptor(fd);
#else
  return prepared(fd);
#endif
}

Descriptor duplicate(int fd) { return Descriptor(fcntl(fd, F_DUPFD_CLOEXEC, 0)); }

int prepare(int fd) {
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) return errno;
  return fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? errno : 0;
}

std::optional<int> socket_option(int fd, int level, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  if (getsockopt(fd, level, name, &value, &size) < 0) return std::nullopt;
  return value;
}

int set_socket_option(int fd, int level, int name, int value) {
  return setsockopt(fd, level, name, &value, sizeof value) < 0 ? errno : 0;
}

}  // namespace tine::base
