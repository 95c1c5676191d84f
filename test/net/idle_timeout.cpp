// A timeout expires once for each silence.
#include "net/idle_timeout.hpp"

#include <chrono>

#include "support/catch.hpp"
#include "support/test_loop.hpp"
#include "tine/loop.hpp"

using namespace std::chrono_literals;
using tine::net::IdleTimeout;
using Clock = std::chrono::steady_clock;

namespace {

// A timeout that stops the loop when it expires. It does not keep the loop, so a timer does.
struct Silence {
  // Runs the loop until the timeout has expired, or for `longest`. Returns whether it has expired.
  bool expires_within(std::chrono::milliseconds longest) {
    const int before = expired;
    const tine::Timer end = loop->after(longest, [this] { loop->stop(); });
    loop.run();
    end.cancel();
    return expired > before;
  }

  TestLoop loop;
  int expired = 0;
  IdleTimeout timeout{[this] {
    ++expired;
    loop->stop();
  }};
};

}  // namespace

TEST_CASE("idle timeout: expires after the silence, and not again until something happens",
          "[net]") {
  Silence silence;
  const auto start = Clock::now();
  silence.timeout.set(tine::core_of(silence.loop), 10ms);
  CHECK(silence.expires_within(deadline));
  CHECK(Clock::now() - start >= 10ms);
  CHECK_FALSE(silence.expires_within(50ms));

  silence.timeout.active();
  CHECK(silence.expires_within(deadline));
  CHECK(silence.expired == 2);
}

TEST_CASE("idle timeout: what happens meanwhile puts it off", "[net]") {
  Silence silence;
  silence.timeout.set(tine::core_of(silence.loop), 40ms);
  Clock::time_point last;
  silence.loop->after(20ms, [&] {
    last = Clock::now();
    silence.timeout.active();
  });
  CHECK(silence.expires_within(deadline));
  CHECK(Clock::now() - last >= 40ms);
}

TEST_CASE("idle timeout: zero, or stop(), ends it", "[net]") {
  Silence silence;
  CHECK_FALSE(silence.timeout.is_set());
  silence.timeout.active();  // nothing is to expire
  silence.timeout.set(tine::core_of(silence.loop), 1ms);
  CHECK(silence.timeout.is_set());
  if (GENERATE(false, true)) {
    silence.timeout.stop();
  } else {
    silence.timeout.set(tine::core_of(silence.loop), 0ms);
  }
  CHECK_FALSE(silence.timeout.is_set());
  silence.timeout.active();
  CHECK_FALSE(silence.expires_within(20ms));
}

TEST_CASE("idle timeout: does not keep the loop running", "[net]") {
  Silence silence;
  silence.timeout.set(tine::core_of(silence.loop), 1h);
  silence.loop.run();
  CHECK(silence.expired == 0);
}
