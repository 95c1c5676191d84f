// A stream over a pair of descriptors. Everything that is the same for a single descriptor is
// tested through the channels and sockets that use it.
#include "uv/stream.hpp"

#include <array>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include <unistd.h>

#include "support/catch.hpp"
#include "support/pipe.hpp"
#include "support/test_loop.hpp"

using tine::base::Descriptor;
using tine::uv::Stream;

namespace {

std::string read_all(const Descriptor& from) {
  std::string all(100, '\0');
  const ssize_t n = ::read(from.get(), all.data(), all.size());
  all.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return all;
}

// A stream that writes to one pipe and reads from another one, and the peer's ends of these pipes.
struct Pair final : Stream::User {
  Pair() {
    Pipe out;
    Pipe in;
    stream.emplace(tine::core_of(loop),
                   tine::uv::StreamEnds(std::move(in.read), std::move(out.write)), *this);
    from_stream.emplace(std::move(out.read));
    to_stream.emplace(std::move(in.write));
  }

  std::span<char> read_room() override { return room; }
  void on_read(std::size_t n) override { log += std::string(room.data(), n); }
  void on_read_end(int error) override { log += error == 0 ? " end" : " error"; }
  void on_hang_up() override { log += " hang-up"; }
  void on_writable() override { log += " writable"; }

  TestLoop loop;
  std::array<char, 100> room{};
  std::string log;
  std::optional<Descriptor> from_stream;
  std::optional<Descriptor> to_stream;
  std::optional<Stream> stream;
};

}  // namespace

TEST_CASE("stream: a pair writes to one descriptor and reads from the other", "[uv]") {
  Pair pair;
  CHECK(pair.stream->write("ab", "c") == 3);
  CHECK(read_all(*pair.from_stream) == "abc");
  REQUIRE(::write(pair.to_stream->get(), "xy", 2) == 2);
  CHECK(pair.stream->available() == 2);
  pair.to_stream.reset();
  pair.stream->set_reading(Stream::Reading::on);
  pair.loop.run();
  CHECK(pair.log == "xy end");
}

TEST_CASE("stream: a pair knows how much the peer has not read", "[uv]") {
  Pair pair;
  CHECK(pair.stream->unread() == 0);
  REQUIRE(pair.stream->write(std::string(150, 'x')) == 150);
  CHECK(pair.stream->unread() == 150);
  CHECK(read_all(*pair.from_stream).size() == 100);
  CHECK(pair.stream->unread() == 50);
}

TEST_CASE("stream: half_close() of a pair ends writing, and reading goes on", "[uv]") {
  Pair pair;
  REQUIRE(pair.stream->write("a") == 1);
  pair.stream->half_close();
  CHECK(read_all(*pair.from_stream) == "a");
  CHECK(read_all(*pair.from_stream).empty());  // EOF, because a read of an open pipe would block
  pair.stream->set_reading(Stream::Reading::on);
  REQUIRE(::write(pair.to_stream->get(), "x", 1) == 1);
  pair.to_stream.reset();
  pair.loop.run();
  CHECK(pair.log == "x end");
}

TEST_CASE("stream: a pair that waits to write keeps the loop running, even without ref", "[uv]") {
  Pair pair;
  pair.stream->set_ref(false);
  pair.stream->set_reading(Stream::Reading::on);
  pair.loop.run();
  CHECK(pair.log.empty());
  pair.stream->await_writable();
  pair.loop.run();
  CHECK(pair.log == " writable");
}

TEST_CASE("stream: a pair that is only watched notices the end of the peer", "[uv]") {
  Pair pair;
  pair.stream->set_reading(Stream::Reading::watching);
  pair.to_stream.reset();
  pair.loop.run();
  CHECK(pair.log == " hang-up");
}
