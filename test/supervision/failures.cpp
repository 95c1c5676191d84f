// How long to wait before a child that has failed is started again.
#include "supervision/failures.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <vector>

#include "support/catch.hpp"

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using tine::Backoff;
using tine::supervision::Failures;

namespace {

// Returns the delays after this many failures in a row.
std::vector<milliseconds> delays(const Backoff& backoff, int count, double random = 0) {
  Failures failures(backoff);
  std::vector<milliseconds> all;
  while (count-- > 0) all.push_back(failures.count(random));
  return all;
}

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_CASE("backoff: each delay is longer than the one before, up to the longest", "[supervision]") {
  CHECK(delays({}, 11) == std::vector<milliseconds>{100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms,
                                                    6400ms, 12800ms, 25600ms, 30s, 30s});
  CHECK(delays({.first = 10ms, .factor = 3, .most = 50ms}, 3) ==
        std::vector<milliseconds>{10ms, 30ms, 50ms});
}

TEST_CASE("backoff: jitter leaves a random part out", "[supervision]") {
  CHECK(delays({}, 2, 0.5) == std::vector<milliseconds>{75ms, 150ms});
  CHECK(delays({.jitter = 1}, 2, 0.999) == std::vector<milliseconds>{0ms, 0ms});
  CHECK(delays({.jitter = 0}, 2, 0.999) == std::vector<milliseconds>{100ms, 200ms});
  CHECK(delays({}, 10, 0.999).back() == 15'015ms);
}

TEST_CASE("backoff: by default, there is a second between restarts after five in ten seconds",
          "[supervision]") {
  const auto shortest = delays({}, 100, 1);
  const auto longest = delays({}, 5, 0);
  milliseconds five{0};
  for (const milliseconds delay : longest) five += delay;
  CHECK(five < 10s);
  for (std::size_t i = 5; i < shortest.size(); ++i) CHECK(shortest[i] >= 1s);
}

TEST_CASE("backoff: a child that was ready for long enough starts anew", "[supervision]") {
  Failures failures(Backoff{.jitter = 0});
  failures.count(0);
  failures.was_ready_for(59'999ms);
  CHECK(failures.count(0) == 200ms);
  failures.was_ready_for(60s);
  CHECK(failures.in_a_row() == 0);
  CHECK(failures.count(0) == 100ms);
  failures.forget();
  CHECK(failures.count(0) == 100ms);
}

TEST_CASE("backoff: extreme options give delays between zero and the longest", "[supervision]") {
  const auto backoff = GENERATE(Backoff{.factor = infinity}, Backoff{.factor = 1e300},
                                Backoff{.factor = not_a_number}, Backoff{.factor = -2},
                                Backoff{.first = -1s}, Backoff{.most = -1s},
                                Backoff{.first = milliseconds::max(), .most = milliseconds::max()},
                                Backoff{.first = milliseconds::min(), .most = milliseconds::min()},
                                Backoff{.jitter = not_a_number}, Backoff{.jitter = 7},
                                Backoff{.jitter = -7}, Backoff{.jitter = infinity});
  for (const double random : {0.0, 0.999, 7.0, -7.0, not_a_number}) {
    Failures failures(backoff);
    for (int i = 0; i < 5000; ++i) {
      const milliseconds delay = failures.count(random);
      const milliseconds most = std::max(backoff.most, milliseconds(0));
      if (delay < 0ms || delay > most) {
        FAIL("a delay of " << delay.count() << " ms");
      }
    }
  }
}

TEST_CASE("backoff: a factor below one makes delays shorter, and zero means none",
          "[supervision]") {
  CHECK(delays({.factor = 0.5}, 4) == std::vector<milliseconds>{100ms, 50ms, 25ms, 13ms});
  CHECK(delays({.factor = 0}, 3) == std::vector<milliseconds>{100ms, 0ms, 0ms});
  CHECK(delays({.factor = 1}, 3) == std::vector<milliseconds>{100ms, 100ms, 100ms});
  CHECK(delays({.first = 0ms}, 3) == std::vector<milliseconds>{0ms, 0ms, 0ms});
  CHECK(delays({.first = 0ms, .factor = infinity}, 3) == std::vector<milliseconds>{0ms, 0ms, 0ms});
}
