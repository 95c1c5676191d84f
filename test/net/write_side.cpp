// When a user is to stop writing and may go on, and how writing ends.
#include "net/write_side.hpp"

#include <cerrno>
#include <string>
#include <system_error>
#include <vector>

#include "net/streams.hpp"
#include "support/catch.hpp"

using tine::Errc;
using tine::net::WriteSide;
using Ender = WriteSide::Ender;

namespace {

constexpr std::size_t high_mark = 64 * kibibyte;
constexpr std::size_t low_mark = 32 * kibibyte;

// A side that is open, and the results of the callbacks that were called.
struct Opened {
  Opened() { side.open(); }

  void add(std::size_t size) {
    tine::SendCallback called = [this](std::error_code why) { results.push_back(why); };
    side.queue().add(std::string(size, 'x'), called);
  }
  void write(std::size_t n) { side.queue().written(n); }
  void call_all() {
    while (side.queue().due() > 0) side.queue().call_first_due();
  }

  WriteSide side;
  std::vector<std::error_code> results;
};

}  // namespace

TEST_CASE("write side: the user is to stop at the mark, and may go on once half is written",
          "[net]") {
  Opened opened;
  WriteSide& side = opened.side;
  opened.add(high_mark - 1);
  CHECK(side.takes_more());
  CHECK_FALSE(side.drained());  // the user did not have to stop
  opened.add(1);
  CHECK_FALSE(side.takes_more());
  opened.write(side.front().size() - low_mark - 1);
  CHECK_FALSE(side.drained());
  while (side.queue().queued() > low_mark) opened.write(1);
  CHECK(side.drained());
  CHECK_FALSE(side.drained());  // once
  CHECK(side.takes_more());
}

TEST_CASE("write side: what was written at once stops nobody", "[net]") {
  Opened opened;
  opened.add(4 * high_mark);
  while (opened.side.queue().queued() > 0) opened.write(opened.side.front().size());
  CHECK(opened.side.takes_more());
  CHECK_FALSE(opened.side.drained());
}

TEST_CASE("write side: one write has at most a mebibyte", "[net]") {
  Opened opened;
  opened.add(3 * 1024 * kibibyte);
  CHECK(opened.side.front().size() == 1024 * kibibyte);
}

TEST_CASE("write side: ends when the queue is written, and takes nothing meanwhile", "[net]") {
  Opened opened;
  WriteSide& side = opened.side;
  const Ender ender = GENERATE(Ender::user, Ender::peer);
  opened.add(high_mark);
  CHECK_FALSE(side.takes_more());
  side.end("last", ender);
  CHECK_FALSE(side.is_open());
  CHECK(side.is_ending());
  CHECK(side.is_pending());
  CHECK(side.ended_by_user() == (ender == Ender::user));
  CHECK(side.refusal() == Errc::write_after_end);
  while (side.queue().queued() > 0) opened.write(side.front().size());
  CHECK_FALSE(side.drained());  // the user may not go on
  CHECK_FALSE(side.takes_more());
  side.finish();
  CHECK_FALSE(side.is_pending());
  opened.call_all();
  CHECK(opened.results == std::vector{std::error_code()});
}

TEST_CASE("write side: when it is destroyed, unwritten bytes are cancelled with the reason",
          "[net]") {
  Opened opened;
  WriteSide& side = opened.side;
  opened.add(2);
  opened.add(3);
  CHECK(side.front().size() == 5);
  opened.write(2);
  if (GENERATE(false, true)) side.end({}, Ender::user);
  side.destroy(system_code(EPIPE));
  CHECK_FALSE(side.is_pending());
  CHECK(side.queue().queued() == 0);
  CHECK(side.refusal() == Errc::stream_destroyed);
  opened.call_all();
  CHECK(opened.results == std::vector{std::error_code(), system_code(EPIPE)});
}

TEST_CASE("write side: before it is opened it takes nothing, and nobody has ended it", "[net]") {
  const WriteSide side;
  CHECK_FALSE(side.is_open());
  CHECK_FALSE(side.is_pending());
  CHECK(side.refusal() == Errc::write_after_end);
  CHECK_FALSE(side.ended_by_user());
}
