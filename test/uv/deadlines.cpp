// Timers never run early, and never before input that has come in time.
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/descriptor.hpp"
#include "support/catch.hpp"
#include "support/test_loop.hpp"
#include "uv/deadline.hpp"
#include "uv/stream.hpp"
#include "uv/timer.hpp"

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

// Busy-waits, so that nothing else happens until then, as in a process that is stopped.
void stand_still_until(Clock::time_point then) {
  while (Clock::now() < then) {
  }
}

// Counts the bytes that it reads, at most `room` at a time.
class Reader final : public tine::uv::Stream::User {
 public:
  explicit Reader(std::size_t room) : room_(room, '\0') {}
  std::span<char> read_room() override { return room_; }
  void on_read(std::size_t n) override { read_ += n; }
  void on_read_end(int) override {}
  void on_writable() override {}
  std::size_t read() const { return read_; }

 private:
  std::string room_;
  std::size_t read_ = 0;
};

}  // namespace

TEST_CASE("timer: it never runs early", "[uv]") {
  TestLoop loop;
  const bool spins = GENERATE(false, true);
  if (spins) loop->spin(100us);
  for (int i = 0; i < 50; ++i) {
    const auto delay = std::chrono::milliseconds(1 + i % 5);
    // Starts at varying points within a millisecond of the loop's clock.
    stand_still_until(Clock::now() + std::chrono::microseconds(i * 37 % 1000));
    const auto start = Clock::now();
    Clock::duration took{};
    loop->after(delay, [&] { took = Clock::now() - start; });
    loop.run();
    CHECK(took >= delay);
  }
}

TEST_CASE("timer: an expired timer runs after input that came while the process stood still",
          "[uv]") {
  TestLoop loop;
  int ends[2];
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
  const tine::base::Descriptor peer(ends[1]);
  // The number of reads that the bytes need.
  const int reads = GENERATE(1, 3);
  const std::string bytes(3000, 'x');
  Reader reader(bytes.size() / static_cast<std::size_t>(reads));
  {
    tine::uv::Stream stream(tine::core_of(loop), tine::base::Descriptor(ends[0]), reader);
    stream.set_reading(tine::uv::Stream::Reading::on);
    std::size_t read_before = 0;
    loop->post([&] {
      loop->after(10ms, [&] {
        read_before = reader.read();
        loop->stop();
      });
      REQUIRE(::write(peer.get(), bytes.data(), bytes.size()) == 3000);
      stand_still_until(Clock::now() + 20ms);
    });
    loop.run();
    CHECK(read_before == 3000);
  }
}

TEST_CASE("timer: endless input does not prevent a timer from running", "[uv]") {
  TestLoop loop;
  int ends[2];
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
  const tine::base::Descriptor peer(ends[1]);
  Reader reader(1);
  tine::uv::Stream stream(tine::core_of(loop), tine::base::Descriptor(ends[0]), reader);
  stream.set_reading(tine::uv::Stream::Reading::on);
  const std::string bytes(100'000, 'x');
  std::ignore = ::write(peer.get(), bytes.data(), bytes.size());
  loop->after(1ms, [&] { loop->stop(); });
  loop.run();
  CHECK(reader.read() < bytes.size());
}

TEST_CASE("timer: an expired timer can be stopped and started until it has run", "[uv]") {
  TestLoop loop;
  int a = 0;
  int b = 0;
  int c = 0;
  auto& core = tine::core_of(loop);
  auto second = std::make_unique<tine::uv::RawTimer>(core, [&] { ++b; });
  tine::uv::RawTimer third(core, [&] { ++c; });
  tine::uv::RawTimer first(core, [&] {
    ++a;
    second.reset();
    third.start(1ms);
  });
  first.start(1ms);
  second->start(1ms);
  third.start(1ms);
  stand_still_until(Clock::now() + 5ms);
  loop.run();
  CHECK(a == 1);
  CHECK(b == 0);
  CHECK(c == 1);
}

TEST_CASE("timer: after set_ref(false) it does not keep the loop running, expired or not", "[uv]") {
  TestLoop loop;
  bool ran = false;
  tine::uv::RawTimer timer(tine::core_of(loop), [&] { ran = true; });
  timer.set_ref(false);
  timer.start(1ms);
  loop.run();
  CHECK_FALSE(ran);
  loop->after(20ms, [] {});
  loop.run();
  CHECK(ran);
}

TEST_CASE("deadline: one that is too far away for the clock is never, one in the past is now",
          "[uv]") {
  using std::chrono::milliseconds;
  using tine::uv::deadline_after;
  using tine::uv::no_deadline;
  const auto now = Clock::now();
  CHECK(deadline_after(now, 5ms) == now + 5ms);
  CHECK(deadline_after(now, milliseconds::max()) == no_deadline);
  CHECK(deadline_after(now, std::chrono::hours(24 * 365 * 1000)) == no_deadline);
  CHECK(deadline_after(now, -5ms) == now);
  CHECK(deadline_after(now, milliseconds::min()) == now);
}
