// Tests to the exact byte when write() returns false and when "drain" comes. A pipe takes a page at
// a time.
#include <cerrno>
#include <cstddef>
#include <functional>
#include <string>

#include "net/streams.hpp"
#include "support/catch.hpp"
#include "support/test_loop.hpp"

using namespace std::chrono_literals;
using tine::Stream;
using tine::net::Direction;

namespace {

constexpr std::size_t mark = 64 * kibibyte;

// A stream into a full pipe, with `queued` bytes queued.
struct Full {
  explicit Full(std::size_t queued) : stream(stream_over(loop, pipe.in, Direction::write)) {
    stream.write(bytes_of(mark + 1));
    REQUIRE(stream.queued_bytes() > 0);
    more = stream.write(bytes_of(queued - stream.queued_bytes()));
    REQUIRE(stream.queued_bytes() == queued);
  }

  // Reads at most `piece` bytes at a time until all is written.
  void read(std::size_t piece) {
    std::string bytes(piece, '\0');
    const std::function<void()> look = [&] {
      const bool left = stream.queued_bytes() > 0;
      if (left && ::read(pipe.out, bytes.data(), piece) < 0) REQUIRE(errno == EAGAIN);
      if (left) loop->after(0ms, look);
    };
    look();
    loop.run();
  }

  TestLoop loop;
  Pipe pipe;
  Stream stream;
  bool more = false;
};

}  // namespace

TEST_CASE("stream: write() returns true up to one byte below the mark", "[net]") {
  const std::size_t queued = GENERATE(mark - 1, mark);
  Full full(queued);
  CHECK(full.more == (queued < mark));
  full.stream.end();
  full.read(mark);
}

TEST_CASE("stream: drain comes as soon as at most half of the mark is left", "[net]") {
  Full full(mark);
  ExpectCalls drained(1);
  full.stream.on<"drain">([&] {
    drained();
    CHECK(full.stream.queued_bytes() <= mark / 2);
    CHECK(full.stream.queued_bytes() > mark / 2 - 16 * kibibyte);
  });
  full.read(4096);
  full.stream.end();
  full.loop.run();
}

TEST_CASE("stream: end() drops a drain that is due", "[net]") {
  Full full(mark - 1);
  Record record(full.stream);
  full.stream.write("x", [&](std::error_code) {
    record.log.emplace_back("written");
    full.stream.end();
  });
  full.read(mark);
  full.loop.run();
  CHECK(record.log == Log{"written", "close"});
}
