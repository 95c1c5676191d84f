// Tests how densely messages are sent, by a clock that the test sets.
#include "uv/pace.hpp"

#include "support/catch.hpp"

using namespace std::chrono_literals;
using tine::uv::Pace;

namespace {

// Sends `count` messages at that time. Returns how many of them should be written together with
// others.
int send(Pace& pace, Pace::Time time, int count) {
  int dense = 0;
  for (int i = 0; i < count; ++i) dense += pace.sent(time);
  return dense;
}

}  // namespace

TEST_CASE("pace: up to 16 messages in a millisecond are always written singly", "[uv]") {
  Pace pace;
  Pace::Time now = 1s;
  for (int tick = 0; tick < 1000; ++tick) CHECK(send(pace, now += 4ms, 63) == 0);
}

TEST_CASE("pace: a burst is noticed within a tick, and the next one at its first message", "[uv]") {
  Pace pace;
  CHECK(send(pace, 1s, 1000) == 1000 - 64);
  CHECK(send(pace, 1s + 4ms, 1000) == 1000);
  CHECK(send(pace, 1s + 8ms, 1) == 1);
}

TEST_CASE("pace: a tick with fewer messages lets the next messages be written singly", "[uv]") {
  Pace pace;
  send(pace, 1s, 1000);
  CHECK(send(pace, 1s + 4ms, 63) == 63);
  CHECK(send(pace, 1s + 8ms, 63) == 0);
}

TEST_CASE("pace: a listener that takes long makes the earlier ticks count less", "[uv]") {
  Pace pace;
  send(pace, 1s, 1000);
  CHECK(send(pace, 1s + 300ms, 1) == 0);
}

TEST_CASE("pace: ticked() is about the last message, not about the last call", "[uv]") {
  Pace pace;
  CHECK_FALSE(pace.has_counted());
  pace.sent(1s);
  CHECK(pace.has_counted());
  CHECK_FALSE(pace.has_counted());
  CHECK_FALSE(pace.ticked(1s));
  CHECK(pace.ticked(1s + 4ms));
}

TEST_CASE("pace: its clock ticks, and never goes back", "[uv]") {
  const Pace::Time first = Pace::now();
  Pace::Time last = first;
  int ticks = 0;
  while (ticks < 3) {
    const Pace::Time now = Pace::now();
    REQUIRE(now >= last);
    ticks += now != last;
    last = now;
  }
  CHECK(last - first < 1s);
}
