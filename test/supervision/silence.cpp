// Whether a silent child hangs, in virtual time.
#include "supervision/silence.hpp"

#include <chrono>
#include <optional>

#include "support/catch.hpp"

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using tine::Heartbeat;
using tine::supervision::Silence;
using Verdict = Silence::Verdict;
using CpuTime = std::optional<std::chrono::nanoseconds>;

namespace {

struct Watched {
  explicit Watched(const Heartbeat& heartbeat) : silence(heartbeat) {}

  Verdict look() {
    return silence.look(came_in, [this] {
      ++cpu_looks;
      return used;
    });
  }
  // Looks until the verdict is not `fine`. Returns after what time that is, and the verdict.
  std::pair<milliseconds, Verdict> wait() {
    for (milliseconds time = silence.interval(); time < 1h; time += silence.interval()) {
      if (const Verdict verdict = look(); verdict != Verdict::fine) return {time, verdict};
    }
    return {1h, Verdict::fine};
  }

  Silence silence;
  std::uint64_t came_in = 0;
  CpuTime used = 0ns;
  int cpu_looks = 0;
};

const Heartbeat usual{.every = 1s, .deadline = 8s};

}  // namespace

TEST_CASE("heartbeat: a silent child is asked, and hangs at the deadline", "[supervision]") {
  Watched child(usual);
  CHECK(child.wait() == std::pair{1000ms, Verdict::ask});
  CHECK(child.wait() == std::pair{8000ms, Verdict::hung});
}

TEST_CASE("heartbeat: whatever comes counts as life", "[supervision]") {
  Watched child(usual);
  for (int i = 0; i < 100; ++i) {
    ++child.came_in;
    CHECK(child.look() == Verdict::fine);
  }
  CHECK(child.cpu_looks == 0);  // it costs nothing while the child talks
  child.wait();
  for (int i = 0; i < 7; ++i) CHECK(child.look() == Verdict::fine);
  ++child.came_in;
  CHECK(child.look() == Verdict::fine);
  CHECK(child.wait() == std::pair{1000ms, Verdict::ask});
}

TEST_CASE("heartbeat: one that uses its CPU is busy, unless that does not count", "[supervision]") {
  const bool counts = GENERATE(true, false);
  Heartbeat heartbeat = usual;
  heartbeat.busy = counts;
  Watched child(heartbeat);
  child.wait();
  for (int i = 0; i < 7; ++i) {
    *child.used += 10ms;
    CHECK(child.look() == Verdict::fine);
  }
  *child.used += 10ms;
  CHECK(child.look() == (counts ? Verdict::fine : Verdict::hung));
  if (counts) CHECK(child.wait() == std::pair{8000ms, Verdict::hung});
}

TEST_CASE("heartbeat: next to no CPU, or an unknown one, is not busy", "[supervision]") {
  Watched child(usual);
  child.wait();
  if (GENERATE(true, false)) child.used.reset();
  for (int i = 0; i < 7; ++i) {
    if (child.used) *child.used += 100us;
    CHECK(child.look() == Verdict::fine);
  }
  CHECK(child.look() == Verdict::hung);
}

TEST_CASE("heartbeat: time without looks does not count", "[supervision]") {
  const Heartbeat heartbeat =
      GENERATE(Heartbeat{.every = 1s, .deadline = 8s}, Heartbeat{.every = 1h, .deadline = 8ms},
               Heartbeat{.every = 1ms, .deadline = 1h}, Heartbeat{.every = 60s, .deadline = 60s});
  Watched child(heartbeat);
  CHECK(child.silence.interval() <= heartbeat.every);
  CHECK(child.silence.interval() * 8 <= heartbeat.deadline);
}

TEST_CASE("heartbeat: extreme options make no busy loop", "[supervision]") {
  CHECK(Silence({.every = 1ms, .deadline = 0ms}).interval() == 1ms);
  CHECK(Silence({.every = 1ms, .deadline = -1h}).interval() == 1ms);
  CHECK(Silence({.every = -1h, .deadline = 1h}).interval() == 1ms);
}

TEST_CASE("heartbeat: after forget() it is asked anew", "[supervision]") {
  Watched child(usual);
  child.wait();
  for (int i = 0; i < 7; ++i) child.look();
  child.silence.forget();
  CHECK(child.wait() == std::pair{1000ms, Verdict::ask});
}
