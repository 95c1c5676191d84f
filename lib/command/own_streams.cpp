#include "command/own_streams.hpp"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace tine::command {

namespace {

constexpr int first_free = 10;

int checked(int result) {
  if (result < 0) throw std::system_error(errno, std::generic_category());
  return result;
}

int moved_away(int fd) { return checked(fcntl(fd, F_DUPFD_CLOEXEC, first_free)); }

}  // namespace

OwnStreams::OwnStreams() : in_(moved_away(STDIN_FILENO)), out_(moved_away(STDOUT_FILENO)) {
  const int null = checked(open("/dev/null", O_RDONLY | O_CLOEXEC));
  checked(dup2(null, STDIN_FILENO));
  close(null);
  checked(dup2(STDERR_FILENO, STDOUT_FILENO));
}

ChildStdout::ChildStdout(int fd) { checked(dup2(fd, STDOUT_FILENO)); }
ChildStdout::~ChildStdout() { dup2(STDERR_FILENO, STDOUT_FILENO); }

}  // namespace tine::command
