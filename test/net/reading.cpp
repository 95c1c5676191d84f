#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>

#include <unistd.h>

#include "net/streams.hpp"
#include "support/catch.hpp"
#include "support/raw_peer.hpp"
#include "support/test_loop.hpp"

using tine::Stream;
using tine::net::Direction;

TEST_CASE("stream: reading a pipe gives data, end and close, in this order", "[net]") {
  TestLoop loop;
  Pipe pipe;
  Stream stream = stream_over(loop, pipe.out, Direction::read);
  Record record(stream);
  record.collect(stream);
  CHECK(stream.readable());
  CHECK_FALSE(stream.writable());

  REQUIRE(::write(pipe.in, "hello", 5) == 5);
  Pipe::close_end(pipe.in);
  loop.run();

  CHECK(record.data == "hello");
  CHECK(record.log == Log{"end", "close"});
  CHECK_FALSE(stream.readable());
}

TEST_CASE("stream: bytes arrive unchanged, in pieces of any size", "[net]") {
  const auto size =
      static_cast<std::size_t>(GENERATE(1, 137, 4095, 4097, 65535, 65536, 65537, 1000003));
  const std::string sent = bytes_of(size);
  Duplex pair;
  Record record(pair.stream);
  record.collect(pair.stream);

  std::size_t at = 0;
  pair.run_until([&] {
    at += pair.peer.write_some(std::string_view(sent).substr(at, 143 + at % 70001));
    return at == size;
  });
  pair.peer.close();
  pair.loop.run();

  CHECK(record.data == sent);
  CHECK(record.log == Log{"end", "close"});
}

TEST_CASE("stream: nothing is read until there is a data listener", "[net]") {
  Duplex pair;
  Record record(pair.stream);
  pair.peer.write("waiting");
  pair.peer.half_close();

  pair.loop.run();
  CHECK(record.log.empty());

  record.collect(pair.stream);
  pair.loop.run();
  CHECK(record.data == "waiting");
  CHECK(record.log == Log{"end", "close"});
}

TEST_CASE("stream: if nobody reads, the peer must wait, and nothing is lost", "[net]") {
  Duplex pair;
  Record record(pair.stream);
  const std::string sent = bytes_of(plenty);
  std::size_t at = pair.peer.write_some(sent);
  REQUIRE(at < plenty);

  pair.loop.run();
  CHECK(pair.peer.write_some("x") == 0);

  record.collect(pair.stream);
  pair.run_until([&] {
    at += pair.peer.write_some(std::string_view(sent).substr(at));
    return at == plenty;
  });
  pair.peer.close();
  pair.loop.run();
  CHECK(record.data == sent);
}

TEST_CASE("stream: reading stops with the last data listener, and nothing is lost", "[net]") {
  Duplex pair;
  Record record(pair.stream);
  pair.stream.once<"data">([&](std::string_view bytes) {
    record.data += bytes;
    pair.peer.write("two");
  });
  pair.peer.write("one ");
  pair.loop.run();
  CHECK(record.data == "one ");

  record.collect(pair.stream);
  pair.peer.close();
  pair.loop.run();
  CHECK(record.data == "one two");
}

TEST_CASE("stream: resume() without a data listener reads to the end, and drops the bytes",
          "[net]") {
  Duplex pair(Direction::read);
  Record record(pair.stream);
  pair.peer.write("of no interest");
  pair.peer.close();

  pair.stream.resume();
  pair.loop.run();

  CHECK(record.log == Log{"end", "close"});
}

TEST_CASE("stream: pause() in a listener holds back the rest until resume()", "[net]") {
  Duplex pair;
  Record record(pair.stream);
  int pieces = 0;
  pair.stream.on<"data">([&](std::string_view bytes) {
    record.data += bytes;
    ++pieces;
    pair.stream.pause();
  });
  const std::string sent = bytes_of(150 * kibibyte);
  pair.peer.write(sent);
  pair.peer.close();

  int turns = 0;
  while (record.log.empty() && turns < 100) {
    ++turns;
    pair.stream.resume();
    pair.loop.run();
    CHECK(pieces <= turns);
  }

  CHECK(pieces >= 3);
  CHECK(record.data == sent);
  CHECK(record.log == Log{"end", "close"});
}

TEST_CASE("stream: bytes after a descriptor are not lost at the end", "[net]") {
  Duplex pair;
  Record record(pair.stream);
  record.collect(pair.stream);
  pair.peer.write_with_descriptor("before ", STDIN_FILENO);
  pair.peer.write("after");
  pair.peer.close();

  pair.loop.run();

  CHECK(record.data == "before after");
  CHECK(record.log == Log{"end", "close"});
}

TEST_CASE("stream: a read that fails is an error, then close", "[net]") {
  Duplex pair;
  Record record(pair.stream);
  record.collect(pair.stream);
  REQUIRE(pair.stream.write("never read"));
  pair.peer.close();  // bytes are left unread, so the error is ECONNRESET

  pair.loop.run();

  CHECK(record.log == Log{"error", "close"});
  REQUIRE(record.errors.size() == 1);
  CHECK(record.errors[0] == system_code(ECONNRESET));
  CHECK_FALSE(pair.stream.readable());
  CHECK_FALSE(pair.stream.writable());
}
