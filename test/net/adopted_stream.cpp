// Streams over descriptors that the program already has.
#include <cerrno>
#include <cstdlib>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/streams.hpp"
#include "support/catch.hpp"
#include "support/folder.hpp"
#include "support/raw_peer.hpp"
#include "support/test_loop.hpp"

using tine::Stream;

namespace {

// A terminal: the descriptor of the program, and the descriptor of the person who sits at it.
struct Terminal {
  Terminal() : person(posix_openpt(O_RDWR | O_NOCTTY)) {
    fcntl(person, F_SETFD, FD_CLOEXEC);
    REQUIRE(grantpt(person) == 0);
    REQUIRE(unlockpt(person) == 0);
    program = ::open(ptsname(person), O_RDWR | O_NOCTTY | O_CLOEXEC);
    REQUIRE(program >= 0);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal() {
    ::close(person);
    if (program >= 0) ::close(program);
  }

  int person;
  int program = -1;
};

bool blocks(int fd) { return (fcntl(fd, F_GETFL) & O_NONBLOCK) == 0; }
void make_blocking(int fd) { REQUIRE(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK) == 0); }

std::error_code refusal(tine::Loop& loop, int fd) {
  try {
    Stream::adopt(loop, fd);
  } catch (const tine::Error& error) {
    return error.code();
  }
  return {};
}

}  // namespace

TEST_CASE("stream: adopt() reads one end of a pipe and writes the other", "[net]") {
  TestLoop loop;
  Pipe pipe;
  Stream out = Stream::adopt(loop, std::exchange(pipe.out, -1));
  Stream in = Stream::adopt(loop, std::exchange(pipe.in, -1));
  CHECK((out.readable() && !out.writable()));
  CHECK((in.writable() && !in.readable()));
  Record record(out);
  record.collect(out);
  in.end("hello");
  loop.run();
  CHECK(record.data == "hello");
  CHECK(record.log == Log{"end", "close"});
}

TEST_CASE("stream: adopt() reads and writes a socket", "[net]") {
  TestLoop loop;
  int fd = -1;
  RawPeer peer(fd);
  Stream stream = Stream::adopt(loop, fd);
  Record record(stream);
  record.collect(stream);
  peer.write("question");
  peer.half_close();
  stream.write("answer");
  loop.run();
  CHECK(record.data == "question");
  CHECK(record.log == Log{"end", "close"});
  peer.expect("answer");
}

TEST_CASE("stream: adopt() reads and writes a terminal", "[net]") {
  TestLoop loop;
  Terminal terminal;
  Stream stream = Stream::adopt(loop, std::exchange(terminal.program, -1));
  ExpectCalls came(1);
  stream.on<"data">([&](std::string_view line) {
    came();
    CHECK(line == "typed\n");
    stream.write("shown", [&](std::error_code error) {
      CHECK_FALSE(error);
      stream.destroy();
    });
  });
  REQUIRE(::write(terminal.person, "typed\n", 6) == 6);
  loop.run();
}

TEST_CASE("stream: adopt() refuses a descriptor that is no stream, and leaves it open", "[net]") {
  TestLoop loop;
  const int file = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  const int device = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  const int datagram = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  for (const int fd : {file, device, datagram}) {
    CHECK(refusal(loop, fd) == system_code(EINVAL));
    CHECK(blocks(fd));
    CHECK(::close(fd) == 0);
  }
  CHECK(refusal(loop, -1) == system_code(EBADF));
}

TEST_CASE("stream: standard_input leaves a shared pipe blocking", "[net]") {
  TestLoop loop;
  Pipe pipe;
  make_blocking(pipe.out);
  const Standard standard(STDIN_FILENO, pipe.out);
  Stream stream = tine::standard_input(loop);
  Record record(stream);
  record.collect(stream);
#ifdef __linux__
  CHECK(blocks(pipe.out));
#endif
  REQUIRE(::write(pipe.in, "hello", 5) == 5);
  Pipe::close_end(pipe.in);
  loop.run();
  CHECK(record.data == "hello");
  CHECK(record.log == Log{"end", "close"});
  CHECK(blocks(pipe.out));
}

TEST_CASE("stream: standard_output writes to a shared pipe until end(), and leaves it open",
          "[net]") {
  TestLoop loop;
  Pipe pipe;
  make_blocking(pipe.in);
  const int number = GENERATE(STDOUT_FILENO, STDERR_FILENO);
  Log log;
  {
    const Standard standard(number, pipe.in);
    Stream stream =
        number == STDOUT_FILENO ? tine::standard_output(loop) : tine::standard_error(loop);
    stream.on<"close">([&] { log.emplace_back("close"); });
    stream.end("shown");
    loop.run();
  }
  CHECK(log == Log{"close"});
  CHECK(read_available(pipe.out) == "shown");
  CHECK(blocks(pipe.in));
  CHECK(::write(pipe.in, "more", 4) == 4);
}

TEST_CASE("stream: standard_input reads a shared terminal and leaves it blocking", "[net]") {
  TestLoop loop;
  Terminal terminal;
  const Standard standard(STDIN_FILENO, terminal.program);
  Stream stream = tine::standard_input(loop);
  CHECK_FALSE(stream.writable());
  std::string data;
  stream.on<"data">([&](std::string_view bytes) {
    data += bytes;
    stream.destroy();
  });
  REQUIRE(::write(terminal.person, "typed\n", 6) == 6);
  loop.run();
  CHECK(data == "typed\n");
  CHECK(blocks(terminal.program));
}

TEST_CASE("stream: a FIFO as stdin ends, even if its writer has gone before", "[net]") {
  TestLoop loop;
  const Folder folder;
  const std::string path = folder.at("fifo");
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  const tine::base::Descriptor out(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  int in = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  REQUIRE(::write(in, "hello", 5) == 5);
  Pipe::close_end(in);
  make_blocking(out.get());
  const Standard standard(STDIN_FILENO, out.get());
  Stream stream = tine::standard_input(loop);
  Record record(stream);
  record.collect(stream);
  loop.run();
  CHECK(record.data == "hello");
  CHECK(record.log == Log{"end", "close"});
  CHECK(blocks(out.get()));
}

TEST_CASE("stream: a socket as stdin is blocking again after close, or after the loop", "[net]") {
  TestLoop loop;
  int fd = -1;
  RawPeer peer(fd);
  const tine::base::Descriptor socket(fd);
  make_blocking(fd);
  const Standard standard(STDIN_FILENO, fd);
  Stream stream = tine::standard_input(loop);
  CHECK_FALSE(blocks(fd));
  SECTION("close") {
    stream.destroy();
    loop.run();
  }
  SECTION("the loop") { loop.destroy(); }
  CHECK(blocks(fd));
}

TEST_CASE("stream: a stdin that is neither a stream nor a file is refused", "[net]") {
  TestLoop loop;
  const tine::base::Descriptor folder(::open("/", O_RDONLY | O_CLOEXEC));
  const tine::base::Descriptor datagram(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  for (const int fd : {folder.get(), datagram.get()}) {
    const Standard standard(STDIN_FILENO, fd);
    CHECK_THROWS_AS(tine::standard_input(loop), tine::Error);
  }
}

#ifdef __linux__
TEST_CASE("stream: stdin may be a device for which one has to wait", "[net]") {
  TestLoop loop;
  const tine::base::Descriptor device(::open("/dev/random", O_RDONLY | O_CLOEXEC));
  const Standard standard(STDIN_FILENO, device.get());
  Stream stream = tine::standard_input(loop);
  CHECK_FALSE(blocks(device.get()));
  std::size_t size = 0;
  stream.on<"data">([&](std::string_view bytes) {
    size = bytes.size();
    stream.destroy();
  });
  loop.run();
  CHECK(size > 0);
  CHECK(blocks(device.get()));
}
#endif
