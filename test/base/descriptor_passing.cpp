// Descriptors arrive beside the bytes that they were sent with.
#include "base/descriptor_passing.hpp"

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "support/catch.hpp"
#include "support/pipe.hpp"

using tine::base::Descriptor;

namespace {

struct Sockets {
  Sockets() {
    std::array<int, 2> ends{};
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) == 0);
    one = Descriptor(ends[0]);
    other = Descriptor(ends[1]);
    came.reserve(tine::base::most_descriptors);
  }

  ssize_t send(std::string bytes, std::string then, std::span<const Descriptor> beside) {
    std::array parts{iovec{bytes.data(), bytes.size()}, iovec{then.data(), then.size()}};
    return tine::base::send_with_descriptors(one.get(), parts, beside);
  }

  // Returns the bytes that one read takes. The descriptors are added to `came`.
  std::string receive() {
    std::string room(100, '\0');
    const ssize_t n = tine::base::receive_with_descriptors(other.get(), room, came);
    return room.substr(0, n < 0 ? 0 : static_cast<std::size_t>(n));
  }

  Descriptor one{-1};
  Descriptor other{-1};
  std::vector<Descriptor> came;
};

ino_t file_of(const Descriptor& descriptor) {
  struct stat status {};
  REQUIRE(fstat(descriptor.get(), &status) == 0);
  return status.st_ino;
}

}  // namespace

TEST_CASE("descriptor passing: descriptors come in order, close-on-exec, with their bytes",
          "[uv]") {
  Sockets sockets;
  const Pipe pipe;
  const Pipe second;
  std::vector<Descriptor> beside;
  for (const Pipe* const sent : {&pipe, &second}) beside.emplace_back(dup(sent->read.get()));
  REQUIRE(sockets.send("ab", "c", beside) == 3);
  beside.clear();

  CHECK(sockets.receive() == "abc");
  REQUIRE(sockets.came.size() == 2);
  CHECK(file_of(sockets.came[0]) == file_of(pipe.read));
  CHECK(file_of(sockets.came[1]) == file_of(second.read));
  for (const Descriptor& one : sockets.came) CHECK((fcntl(one.get(), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("descriptor passing: bytes without descriptors bring none", "[uv]") {
  Sockets sockets;
  REQUIRE(::send(sockets.one.get(), "x", 1, 0) == 1);
  CHECK(sockets.receive() == "x");
  CHECK(sockets.came.empty());
  CHECK(sockets.receive().empty());
}

TEST_CASE("descriptor passing: as many descriptors as Linux allows go beside one write", "[uv]") {
  Sockets sockets;
  const Pipe pipe;
  std::vector<Descriptor> beside;
  for (std::size_t i = 0; i < tine::base::most_descriptors; ++i) {
    beside.emplace_back(dup(pipe.read.get()));
  }
  REQUIRE(sockets.send("x", "", beside) == 1);
  CHECK(sockets.receive() == "x");
  CHECK(sockets.came.size() == tine::base::most_descriptors);
}
