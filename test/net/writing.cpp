#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "net/streams.hpp"
#include "support/catch.hpp"
#include "support/raw_peer.hpp"
#include "support/test_loop.hpp"

using namespace std::chrono_literals;
using tine::Errc;
using tine::Stream;
using tine::net::Direction;

TEST_CASE("stream: after end(), a pipe closes when all is written", "[net]") {
  TestLoop loop;
  Pipe pipe;
  Stream stream = stream_over(loop, pipe.in, Direction::write);
  Record record(stream);
  CHECK_FALSE(stream.readable());
  CHECK(stream.writable());

  CHECK(stream.write("one ", record.written("one")));
  CHECK(stream.write({}, record.written("nothing")));
  stream.end("two");
  CHECK_FALSE(stream.writable());
  CHECK(record.log.empty());  // no callback runs inside a call
  loop.run();

  CHECK(record.log == Log{"one", "nothing", "close"});
  CHECK(record.results == std::vector<std::error_code>(2));
  CHECK(read_available(pipe.out) == "one two");
}

TEST_CASE("stream: writes beyond the mark wait for drain, and all bytes arrive", "[net]") {
  Duplex pair;
  const std::string sent = bytes_of(plenty + 1);
  std::size_t at = 0;
  int refusals = 0;
  const auto fill = [&] {
    bool more = true;
    while (more && at < sent.size()) {
      const std::string_view piece = std::string_view(sent).substr(at, 10007);
      more = pair.stream.write(piece);
      at += piece.size();
    }
    if (more) return pair.stream.end();
    ++refusals;
    CHECK(pair.stream.queued_bytes() >= 64 * kibibyte);
    CHECK(pair.stream.queued_bytes() < 64 * kibibyte + 10007);
  };
  pair.stream.on<"drain">([&] {
    CHECK(pair.stream.queued_bytes() <= 32 * kibibyte);
    fill();
  });

  fill();
  REQUIRE(refusals == 1);
  std::string seen;
  pair.run_until([&] {
    seen += pair.peer.read_some(70001);
    return seen.size() == sent.size();
  });

  CHECK(seen == sent);
  CHECK(refusals > 1);
  CHECK(pair.stream.queued_bytes() == 0);
  pair.peer.close();
  pair.stream.resume();
  pair.loop.run();
}

TEST_CASE("stream: each write's callback runs once, in order, after the write", "[net]") {
  Duplex pair;
  Record record(pair.stream);
  pair.stream.write("first", record.written("first"));
  pair.stream.write(bytes_of(plenty), record.written("second"));
  pair.stream.write("third", record.written("third"));
  pair.run_until([&] { return !record.log.empty(); });
  CHECK(record.log == Log{"first"});

  std::size_t seen = 0;
  pair.run_until([&] {
    seen += pair.peer.read_available().size();
    return seen == plenty + 10;
  });
  pair.peer.close();
  pair.stream.resume();
  pair.loop.run();

  CHECK(std::erase(record.log, "drain") == 1);
  CHECK(record.log == Log{"first", "second", "third", "end", "close"});
  CHECK(record.results == std::vector<std::error_code>(3));
}

TEST_CASE("stream: end() waits for queued writes, then the peer reads the end", "[net]") {
  Duplex pair;
  Record record(pair.stream);
  record.collect(pair.stream);
  const std::string sent = bytes_of(plenty);
  pair.stream.write(sent);
  pair.stream.end("last");
  CHECK(pair.stream.readable());

  std::string seen;
  pair.run_until([&] {
    seen += pair.peer.read_available();
    return pair.peer.at_end();
  });
  CHECK(seen == sent + "last");
  CHECK(record.log.empty());

  pair.peer.write("answer");
  pair.peer.close();
  pair.loop.run();
  CHECK(record.data == "answer");
  CHECK(record.log == Log{"end", "close"});
}

TEST_CASE("stream: after the peer's end, writing ends too when all is written", "[net]") {
  Duplex pair;
  Record record(pair.stream);
  record.collect(pair.stream);
  pair.stream.on<"end">([&] { CHECK(pair.stream.write("after end", record.written("written"))); });
  pair.peer.half_close();

  pair.loop.run();

  CHECK(record.log == Log{"end", "written", "close"});
  CHECK(pair.peer.read_to_end() == "after end");
}

TEST_CASE("stream: a failure after the peer's end is reported by callback only", "[net]") {
  Duplex pair;
  Record record(pair.stream);
  record.collect(pair.stream);
  pair.stream.write(bytes_of(plenty), record.written("written"));
  pair.peer.half_close();
  pair.run_until([&] { return !record.log.empty(); });
  pair.peer.close();

  pair.loop.run();

  CHECK(record.log == Log{"end", "written", "close"});
  CHECK(record.results.at(0));
}

TEST_CASE("stream: a write without a reader fails with EPIPE, by callback or as an error",
          "[net]") {
  const bool callback = GENERATE(true, false);
  TestLoop loop;
  Pipe pipe;
  Stream stream = stream_over(loop, pipe.in, Direction::write);
  Record record(stream);
  Pipe::close_end(pipe.out);

  CHECK_FALSE(stream.write("lost", callback ? record.written("written") : tine::SendCallback()));
  CHECK_FALSE(stream.writable());
  loop.run();

  CHECK(record.log == Log{callback ? "written" : "error", "close"});
  CHECK((callback ? record.results : record.errors).at(0) == system_code(EPIPE));
}

TEST_CASE("stream: when the reader goes away, each queued write fails once, and there is one error",
          "[net]") {
  TestLoop loop;
  Pipe pipe;
  Stream stream = stream_over(loop, pipe.in, Direction::write);
  Record record(stream);
  stream.write("in the pipe", record.written("first"));
  stream.write(bytes_of(plenty), record.written("second"));
  stream.write("no callback");
  stream.write("nor this");
  stream.write("third", record.written("third"));
  loop->after(1ms, [&] { Pipe::close_end(pipe.out); });
  loop.run();

  CHECK(record.log == Log{"first", "second", "third", "error", "close"});
  REQUIRE(record.results.size() == 3);
  CHECK_FALSE(record.results[0]);
  CHECK(record.results[1] == system_code(EPIPE));
  CHECK(record.results[2] == system_code(EPIPE));
  REQUIRE(record.errors.size() == 1);
  CHECK(record.errors[0] == system_code(EPIPE));
}

TEST_CASE("stream: after a failed write, the bytes of the peer are still delivered", "[net]") {
  Duplex pair;
  Record record(pair.stream);
  pair.peer.write("last words");
  pair.peer.close();
  pair.stream.write("lost", record.written("written"));
  pair.loop.run();
  CHECK(record.log == Log{"written"});
  CHECK(record.results.at(0) == system_code(EPIPE));

  record.collect(pair.stream);
  pair.loop.run();
  CHECK(record.data == "last words");
  CHECK(record.log == Log{"written", "end", "close"});
}

TEST_CASE("stream: a write after end() is refused, by callback or as an error", "[net]") {
  Duplex pair(Direction::write);
  Record record(pair.stream);
  pair.stream.end();

  CHECK_FALSE(pair.stream.write("late", record.written("late")));
  CHECK_FALSE(pair.stream.write("late"));
  pair.stream.end("late");
  pair.stream.end();
  CHECK(record.log.empty());
  pair.loop.run();

  CHECK(pair.peer.read_to_end().empty());
  REQUIRE(record.results.size() == 1);
  CHECK(record.results[0] == Errc::write_after_end);
  CHECK(record.log == Log{"close", "late"});  // after "close", errors go to callbacks only
}
