// Reads that a signal interrupts, which a non-blocking socket does not see in practice.
#include <cerrno>

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "channel/test_end.hpp"
#include "support/catch.hpp"

namespace {

int interruptions = 0;  // of reads, that are still to come

bool interrupted() {
  if (interruptions == 0) return false;
  --interruptions;
  errno = EINTR;
  return true;
}

}  // namespace

// In place of the system library's, in this program.
extern "C" ssize_t recvmsg(int fd, msghdr* message, int flags) {
  return interrupted() ? -1 : syscall(SYS_recvmsg, fd, message, flags);
}
extern "C" ssize_t read(int fd, void* to, size_t most) {
  return interrupted() ? -1 : syscall(SYS_read, fd, to, most);
}

TEST_CASE("endpoint: a read that is interrupted is done again, and ends nothing", "[channel]") {
  const std::size_t descriptor_limit = GENERATE(0, 16);
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

TEST_CASE("endpoint: the last read is done again when it is interrupted", "[channel]") {
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
