// Rare results of system calls: a signal interrupts a read, or the kernel does not report how many
// bytes the peer has not read yet.
#include <cerrno>
#include <chrono>
#include <cstdarg>

#include <asm/ioctls.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "channel/test_end.hpp"
#include "support/catch.hpp"

namespace {

int interruptions = 0;  // how many of the next reads fail with EINTR
bool unread_is_reported = true;

bool interrupted() {
  if (interruptions == 0) return false;
  --interruptions;
  errno = EINTR;
  return true;
}

}  // namespace

// These functions replace those of the system library in this program.
extern "C" ssize_t recvmsg(int fd, msghdr* message, int flags) {
  return interrupted() ? -1 : syscall(SYS_recvmsg, fd, message, flags);
}
extern "C" ssize_t read(int fd, void* to, size_t most) {
  return interrupted() ? -1 : syscall(SYS_read, fd, to, most);
}
extern "C" int ioctl(int fd, unsigned long request, ...) noexcept {
  va_list arguments;
  va_start(arguments, request);
  void* const argument = va_arg(arguments, void*);
  va_end(arguments);
  const bool unreported = request == TIOCOUTQ && !unread_is_reported;
  return unreported ? -1 : static_cast<int>(syscall(SYS_ioctl, fd, request, argument));
}

TEST_CASE("endpoint: an interrupted read is repeated, and does not end the channel", "[channel]") {
  const auto descriptor_limit = GENERATE(std::size_t{0}, std::size_t{16});
  Channel channel({.descriptor_limit = descriptor_limit});
  channel.peer.write("1\n");
  interruptions = 3;
  channel.run_until([&] { return !channel.log.empty(); });
  CHECK(interruptions == 0);
  CHECK(channel.end.connected());
  channel.peer.write("2\n");
  channel.run_to_end();
  CHECK(channel.log == Log{"1", "2", "disconnect"});
}

TEST_CASE("endpoint: an interrupted last read is repeated", "[channel]") {
  Channel channel;
  channel.end.set_paused(true);
  channel.peer.write("1\n");
  interruptions = 3;
  channel.run_to_end();
  CHECK(interruptions == 0);
  channel.end.set_paused(false);
  channel.loop.run();
  CHECK(channel.log == Log{"disconnect", "1"});
}

// This is what happens after this process was stopped: timers expire before it looks at the socket.
TEST_CASE("endpoint: a peer that reads is not given up, even if its unread bytes are unknown",
          "[channel]") {
  using Clock = std::chrono::steady_clock;
  constexpr auto patience = std::chrono::milliseconds(200);
  Channel channel({.flush_timeout = patience});
  while (channel.end.send(nlohmann::json(std::string(100'000, 'x')), {})) {
  }
  unread_is_reported = false;
  channel.end.disconnect();
  channel.owner->at_message_ = [&] {
    channel.peer.read_available();
    for (const auto late = Clock::now() + 2 * patience; Clock::now() < late;) {
    }
  };
  channel.peer.write("1\n");
  channel.run_until([&] {
    if (!channel.log.empty()) channel.peer.read_available();
    return channel.end.closed();
  });
  unread_is_reported = true;
  channel.loop.run();
  CHECK(channel.log == Log{"1", "disconnect"});
}
