#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <sys/socket.h>

#include "net/streams.hpp"
#include "support/catch.hpp"
#include "support/raw_peer.hpp"
#include "support/test_loop.hpp"

using namespace std::chrono_literals;
using tine::Errc;
using tine::net::Direction;
using tine::net::make_stream;
using tine::net::StreamState;

TEST_CASE("stream: destroy() cancels queued writes, delivers no data, and closes", "[net]") {
  Duplex pair;
  Record record(pair.stream);
  record.collect(pair.stream);
  pair.peer.write("unread");
  pair.stream.write("out", record.written("first"));
  pair.stream.write(bytes_of(plenty), record.written("second"));
  pair.stream.write("no callback");

  pair.stream.destroy();
  pair.stream.destroy();
  CHECK_FALSE(pair.stream.readable());
  CHECK_FALSE(pair.stream.writable());
  CHECK(pair.stream.queued_bytes() == 0);
  CHECK_FALSE(pair.stream.write("late", record.written("late")));
  pair.loop.run();

  CHECK(record.data.empty());
  CHECK(record.log == Log{"first", "second", "close", "late"});
  REQUIRE(record.results.size() == 3);
  CHECK_FALSE(record.results[0]);
  CHECK(record.results[1] == system_code(ECANCELED));
  CHECK(record.results[2] == Errc::stream_destroyed);
}

TEST_CASE("stream: destroy() keeps the error of a write that has failed before", "[net]") {
  Duplex pair;
  Record record(pair.stream);
  pair.peer.close();
  pair.stream.write("lost", record.written("lost"));
  pair.stream.write("refused", record.written("refused"));
  pair.stream.destroy();
  pair.loop.run();

  CHECK(record.log == Log{"lost", "close", "refused"});
  CHECK(record.results.at(0) == system_code(EPIPE));
  CHECK(record.results.at(1) == Errc::stream_destroyed);
}

TEST_CASE("stream: destroy() reports success exactly for the writes that the peer can read",
          "[net]") {
  constexpr std::size_t each = 8 * kibibyte;
  const auto taken = static_cast<std::size_t>(GENERATE(0, 10, 20, 30, 40, 50, 60)) * kibibyte;
  Duplex pair(Direction::write);
  const int small = 16 * 1024;  // so small that the socket takes each write in several pieces
  REQUIRE(setsockopt(pair.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small) == 0);
  std::size_t successes = 0;
  std::size_t calls = 0;
  const auto count = [&](std::error_code error) {
    ++calls;
    successes += !error;
  };
  std::size_t writes = 1;
  while (pair.stream.write(bytes_of(each), count)) ++writes;

  std::size_t seen = 0;
  pair.run_until([&] {
    seen += pair.peer.read_some(std::min(4 * kibibyte, taken - seen)).size();
    return seen == taken;
  });
  pair.stream.destroy();
  pair.loop.run();
  seen += pair.peer.read_to_end().size();

  CHECK(calls == writes);
  CHECK(successes == seen / each);
  CHECK(successes < writes);
}

TEST_CASE("stream: after a listener has thrown, destroy() drops the events that are due", "[net]") {
  const std::size_t size = static_cast<std::size_t>(GENERATE(1, 3)) * 50 *
                           kibibyte;  // what is due: the end, or more data
  Duplex pair;
  Record record(pair.stream);
  record.collect(pair.stream);
  pair.stream.on<"data">([] { throw std::runtime_error("listener"); });
  pair.peer.write(bytes_of(size));
  pair.peer.close();
  CHECK_THROWS_AS(pair.loop.run(), std::runtime_error);
  const std::size_t delivered = record.data.size();

  pair.stream.destroy();
  pair.loop.run();

  CHECK(record.data.size() == delivered);
  CHECK(record.log == Log{"close"});
}

namespace {

// A stream that is destroyed when one of its listeners is called first. That listener also drops
// all handles to it.
struct DestroyedIn {
  template <tine::EventName Name>
  void at() {
    pair.stream.on<Name>([this] { destroy(); });
  }
  void destroy() {
    log.emplace_back("destroy");
    std::exchange(pair.stream, {}).destroy();
    pair.state.reset();
  }

  Duplex pair;
  Log log;
};

}  // namespace

TEST_CASE("stream: destroy() in a data listener ends the events", "[net]") {
  DestroyedIn in;
  Record record(in.pair.stream);
  in.at<"data">();
  record.collect(in.pair.stream);
  const std::string sent = bytes_of(150 * kibibyte);
  in.pair.peer.write(sent);
  in.pair.loop.run();
  CHECK(in.log.size() == 1);
  CHECK(record.data == sent.substr(0, record.data.size()));  // others got it too
  CHECK(record.data.size() <= 64 * kibibyte);
  CHECK(record.log == Log{"close"});
}

TEST_CASE("stream: destroy() in an end listener closes", "[net]") {
  DestroyedIn in;
  Record record(in.pair.stream);
  in.at<"end">();
  in.pair.stream.resume();
  in.pair.peer.half_close();
  in.pair.loop.run();
  CHECK(in.log.size() == 1);
  CHECK(record.log == Log{"end", "close"});
}

TEST_CASE("stream: destroy() in a drain listener cancels the writes that are queued then",
          "[net]") {
  DestroyedIn in;
  Record record(in.pair.stream);
  in.pair.stream.on<"drain">([&] {
    in.pair.stream.write(bytes_of(plenty), record.written("cancelled"));
    in.destroy();
  });
  in.pair.stream.write(bytes_of(plenty), record.written("written"));
  std::size_t seen = 0;
  in.pair.run_until([&] {
    seen += in.pair.peer.read_available().size();
    return !in.log.empty();
  });
  in.pair.loop.run();
  CHECK(record.log.size() == 4);
  CHECK(record.log.back() == "close");
  REQUIRE(record.results.size() == 2);
  CHECK(record.results[1] == system_code(ECANCELED));
}

TEST_CASE("stream: destroy() in an error or a close listener closes once", "[net]") {
  const bool early = GENERATE(true, false);
  DestroyedIn in;
  Record record(in.pair.stream);
  if (early) {
    in.at<"error">();
  } else {
    in.at<"close">();
  }
  in.pair.peer.close();
  in.pair.stream.write("lost");
  if (!early) in.pair.stream.resume();
  in.pair.loop.run();
  CHECK(in.log.size() == 1);
  CHECK(record.log.back() == "close");
  CHECK(record.log.front() == "error");
}

TEST_CASE("stream: destroy() in a callback still calls the other callbacks, then closes", "[net]") {
  DestroyedIn in;
  Record record(in.pair.stream);
  in.pair.stream.write("one", [&](std::error_code) { in.destroy(); });
  in.pair.stream.write("two", record.written("two"));
  in.pair.loop.run();
  CHECK(record.log == Log{"two", "close"});
  CHECK_FALSE(record.results.at(0));
}

// --- exceptions

TEST_CASE("stream: run() throws an error that has no listener", "[net]") {
  Duplex pair(Direction::write);
  ExpectCalls closed(1);
  pair.stream.on<"close">([&] { closed(); });
  pair.stream.end();
  pair.stream.write("late");
  CHECK_THROWS_WITH(pair.loop.run(), ContainsSubstring("ERR_STREAM_WRITE_AFTER_END"));
  pair.loop.run();
}

TEST_CASE("stream: a peer that is gone is an error only if somebody listens", "[net]") {
  const bool listens = GENERATE(false, true);
  Duplex pair(Direction::write);
  pair.peer.close();
  ExpectCalls closed(1);
  ExpectCalls errors(listens ? 1 : 0);  // the second error comes after "close", so it is dropped
  if (listens) pair.stream.on<"error">([&] { errors(); });
  pair.stream.on<"close">([&] { closed(); });
  pair.stream.write("lost");
  pair.stream.write("lost too");
  pair.loop.run();
}

TEST_CASE("stream: if a data listener throws, the next run delivers the bytes after it", "[net]") {
  Duplex pair;
  Record record(pair.stream);
  record.collect(pair.stream);
  int throws = 0;
  pair.stream.on<"data">([&](std::string_view) {
    if (++throws <= 4) throw std::runtime_error("listener");
  });
  const std::string sent = bytes_of(200 * kibibyte - 1);
  pair.peer.write(sent);
  pair.peer.close();

  int runs = 0;
  for (bool again = true; again && runs < 100; ++runs) {
    again = false;
    try {
      pair.loop.run();
    } catch (const std::runtime_error&) {
      again = true;
      const std::size_t delivered = record.data.size();
      CHECK(delivered <= 64 * kibibyte * static_cast<std::size_t>(runs + 1));
    }
  }

  CHECK(runs == std::min(throws, 4) + 1);
  CHECK(record.data == sent);
  CHECK(record.log == Log{"end", "close"});
}

TEST_CASE("stream: each event is emitted once, even if all listeners throw", "[net]") {
  Duplex pair;
  auto state = std::exchange(pair.state, nullptr);
  Log log;
  const auto note = [&](const char* what) {
    log.emplace_back(what);
    throw std::runtime_error(what);
  };
  ExpectCalls observed(1);
  state->when_closed([&] { observed(); });
  pair.stream.on<"data">([&] { note("data"); });
  pair.stream.on<"end">([&] { note("end"); });
  pair.stream.on<"close">([&] { note("close"); });
  pair.stream.write("one", [&](std::error_code) { note("one"); });
  pair.stream.write("two", [&](std::error_code) { note("two"); });
  pair.peer.write("in");
  pair.peer.half_close();

  for (int thrown = 0; thrown < 5; ++thrown) CHECK_THROWS_AS(pair.loop.run(), std::runtime_error);
  pair.loop.run();

  std::sort(log.begin(), log.end() - 2);  // reading and writing are independent
  CHECK(log == Log{"data", "one", "two", "end", "close"});
}

// --- lifetimes

TEST_CASE("stream: it goes on without handles, and drops its listeners after close", "[net]") {
  Duplex pair;
  const auto token = std::make_shared<int>();
  std::string data;
  pair.stream.on<"data">([&, token, self = pair.stream](std::string_view bytes) { data += bytes; });
  pair.stream = {};
  const std::weak_ptr<StreamState> state = std::exchange(pair.state, nullptr);
  pair.peer.write("data");
  pair.peer.close();

  pair.loop.run();

  CHECK(data == "data");
  CHECK(token.use_count() == 1);
  CHECK(state.expired());
}

TEST_CASE("stream: it is closed and inert when its loop is destroyed", "[net]") {
  Duplex pair;
  const auto token = std::make_shared<int>();
  ExpectCalls never(0);
  pair.stream.on<"close">([&, token] { never(); });
  pair.stream.on<"data">([&, token] { never(); });
  pair.state->when_closed([&, token] { never(); });
  pair.stream.write(bytes_of(plenty), [&, token](std::error_code) { never(); });

  pair.loop.destroy();

  CHECK(token.use_count() == 1);
  CHECK_FALSE(pair.stream.readable());
  CHECK_FALSE(pair.stream.write("late", [&](std::error_code) { never(); }));
  pair.stream.end("late");
  pair.stream.pause();
  pair.stream.resume();
  pair.stream.ref();
  pair.stream.unref();
  pair.stream.destroy();
  CHECK(pair.peer.read_to_end().size() < plenty);
}

TEST_CASE("stream: reading keeps the loop running unless unref(), without a reader nothing does",
          "[net]") {
  Duplex pair;
  pair.loop.run();

  ExpectCalls data(1);
  pair.stream.on<"data">([&] {
    data();
    pair.stream.destroy();
  });
  pair.stream.unref();
  pair.loop.run();

  pair.stream.ref();
  pair.loop->after(1ms, [&] { pair.peer.write("x"); });
  pair.loop.run();
}

TEST_CASE("stream: the observer of the end is called after close, or at once if it is closed",
          "[net]") {
  Duplex pair;
  Record record(pair.stream);
  pair.state->when_closed([&] { record.log.emplace_back("closed"); });
  pair.stream.destroy();
  pair.loop.run();
  CHECK(record.log == Log{"close", "closed"});

  pair.state->when_closed([&] { record.log.emplace_back("at once"); });
  CHECK(record.log.back() == "at once");
}

TEST_CASE("stream: an invalid descriptor is refused", "[net]") {
  TestLoop loop;
  CHECK_THROWS_AS(make_stream(tine::core_of(loop), tine::base::Descriptor(-1), Direction::read),
                  tine::Error);
  loop.run();
}

TEST_CASE("stream: an empty handle is neither readable nor writable", "[net]") {
  const tine::Stream stream;
  CHECK_FALSE(stream);
  const auto captured = std::make_shared<int>();
  stream.on<"data">([captured] { FAIL("called"); });
  CHECK_FALSE(stream.write("lost", [captured](std::error_code) { FAIL("called"); }));
  CHECK(captured.use_count() == 1);
  stream.end("lost");
  stream.pause();
  stream.resume();
  stream.ref();
  stream.unref();
  stream.destroy();
  CHECK_FALSE(stream.readable());
  CHECK_FALSE(stream.writable());
  CHECK(stream.queued_bytes() == 0);
}
