// Streams over descriptors that the program has.
#include <cerrno>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/epoll.h>
#endif

#include "base/descriptor.hpp"
#include "base/sockets.hpp"
#include "base/system_code.hpp"
#include "net/file_stream.hpp"
#include "net/stream_state.hpp"
#include "tine/stream.hpp"

namespace tine {

namespace net {

namespace {

[[noreturn]] void refuse(int error, int fd) {
  throw Error(base::system_code(error),
              "no stream can be made from descriptor " + std::to_string(fd));
}

// device: one that the loop can wait for, but no terminal. file: it is always ready.
enum class Kind { stream, device, file, other };

// Returns whether a device is always ready, as /dev/null is. The loop cannot wait for such a
// device.
bool is_always_ready([[maybe_unused]] int device) {
#ifdef __linux__
  const base::Descriptor poll(epoll_create1(EPOLL_CLOEXEC));
  epoll_event none{};
  return epoll_ctl(poll.get(), EPOLL_CTL_ADD, device, &none) < 0 && errno == EPERM;
#else
  return true;
#endif
}

// Throws Error if there is no such descriptor.
Kind kind_of(int fd) {
  struct stat status {};
  if (fstat(fd, &status) < 0) refuse(errno, fd);
  const bool is_stream = S_ISFIFO(status.st_mode) || isatty(fd) != 0 ||
                         base::socket_option(fd, SOL_SOCKET, SO_TYPE) == SOCK_STREAM;
  if (is_stream) return Kind::stream;
  if (S_ISREG(status.st_mode) || S_ISBLK(status.st_mode)) return Kind::file;
  if (S_ISCHR(status.st_mode)) return is_always_ready(fd) ? Kind::file : Kind::device;
  return Kind::other;
}

Direction direction_of(int fd) {
  switch (fcntl(fd, F_GETFL) & O_ACCMODE) {
    case O_RDONLY: return Direction::read;
    case O_WRONLY: return Direction::write;
    default: return Direction::both;
  }
}

// A guard whose end makes a descriptor blocking.
class BlocksAfterwards {
 public:
  explicit BlocksAfterwards(int fd) : fd_(fd) {}
  BlocksAfterwards(const BlocksAfterwards&) = delete;
  BlocksAfterwards& operator=(const BlocksAfterwards&) = delete;
  ~BlocksAfterwards() { fcntl(fd_, F_SETFL, fcntl(fd_, F_GETFL) & ~O_NONBLOCK); }

 private:
  int fd_;
};

// Opens a pipe or a terminal once more, with a blocking mode that no other descriptor shares.
// Returns an empty descriptor where this is not possible: for sockets, without /proc, or without
// permission. A FIFO that has a name is not opened either: if its writer has gone already, the loop
// would never notice the end of what it wrote.
base::Descriptor reopened([[maybe_unused]] int fd, [[maybe_unused]] Direction direction) {
#ifdef __linux__
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  std::error_code ignored;
  const std::string target = std::filesystem::read_symlink(path, ignored).string();
  if (!target.starts_with("pipe:") && isatty(fd) == 0) return base::Descriptor(-1);
  const int access = direction == Direction::read ? O_RDONLY : O_WRONLY;
  return base::Descriptor(::open(path.c_str(), access | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
#else
  return base::Descriptor(-1);
#endif
}

base::Descriptor duplicated(int fd) {
  base::Descriptor own = base::duplicate(fd);
  if (own.get() < 0) refuse(errno, fd);
  return own;
}

Stream standard_stream(uv::LoopCore& core, int fd, Direction direction) {
  const Kind kind = kind_of(fd);
  if (kind == Kind::other) refuse(EINVAL, fd);
  if (kind == Kind::file) return make_file_stream(core, duplicated(fd), direction)->handle();
  base::Descriptor own = reopened(fd, direction);
  if (own.get() >= 0) return make_stream(core, std::move(own), direction)->handle();
  const auto guard = std::make_shared<BlocksAfterwards>(fd);
  const auto state = make_stream(core, duplicated(fd), direction);
  state->when_closed([guard] {});  // destroyed after "close", or with the loop
  return state->handle();
}

}  // namespace

}  // namespace net

Stream Stream::adopt(Loop& loop, int descriptor) {
  uv::LoopCore& core = core_of(loop);
  if (net::kind_of(descriptor) != net::Kind::stream) net::refuse(EINVAL, descriptor);
  if (const int error = base::prepare(descriptor); error != 0) net::refuse(error, descriptor);
  const net::Direction direction = net::direction_of(descriptor);
  return net::make_stream(core, base::Descriptor(descriptor), direction)->handle();
}

Stream standard_input(Loop& loop) {
  return net::standard_stream(core_of(loop), STDIN_FILENO, net::Direction::read);
}

Stream standard_output(Loop& loop) {
  return net::standard_stream(core_of(loop), STDOUT_FILENO, net::Direction::write);
}

Stream standard_error(Loop& loop) {
  return net::standard_stream(core_of(loop), STDERR_FILENO, net::Direction::write);
}

}  // namespace tine
