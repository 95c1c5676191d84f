// A child that does the steps in its arguments, byte by byte, without the library:
//
//   send TEXT        writes TEXT, in which \n, \0 and \xHH stand for bytes
//   bytewise TEXT    writes TEXT, with one write for each byte
//   pieces N TEXT    writes TEXT in pieces of N bytes, each after the previous one was read
//   cuts TEXT        for each offset in TEXT: writes a line "cut" and TEXT up to the offset, waits
//                    for the line 1, writes the rest
//   relay N M        reads at most N bytes at a time, writes them back in pieces of M; until EOF
//   repeat N TEXT    writes TEXT N times, in writes as large as possible
//   prefix N TEXT    writes the first N bytes of TEXT
//   give KIND N TEXT writes TEXT with N descriptors at its first byte: see open_one()
//   strays N         writes N messages, each with a descriptor that nobody wants
//   expect TEXT      reads TEXT; if other bytes or EOF come: exit code 9
//   await TEXT       reads and drops bytes up to and including TEXT; if EOF comes: exit code 9
//   taken N          ends with exit code 10 unless N descriptors have been received so far
//   await-end        reads and drops bytes until EOF
//   half-close       shuts down writing
//   refuse-reading   shuts down reading
//   await-hang-up    waits until the channel is closed on both sides
//   close            closes the channel
//   kill             kills itself with SIGKILL
//   abort            ends by SIGABRT
//   exit N           ends with exit code N
//
// After the last step it ends with exit code 0. NODE_CHANNEL_FD names the channel's descriptor.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

namespace {

int channel = -1;

std::string unescape(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      bytes += text[i];
      continue;
    }
    switch (text[++i]) {
      case 'n': bytes += '\n'; break;
      case '0': bytes += '\0'; break;
      case 'x':
        bytes += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
        i += 2;
        break;
      default: bytes += {'\\', text[i]};
    }
  }
  return bytes;
}

void write_all(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = send(channel, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) _exit(8);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

constexpr std::size_t most_descriptors = 253;

using Control = std::array<char, CMSG_SPACE(most_descriptors * sizeof(int))>;

// Opens a descriptor of that kind. Nobody closes it, because the other end may be using it.
int open_one(std::string_view kind) {
  std::array<int, 2> ends{-1, -1};
  if (kind == "file") return open("/proc/self/exe", O_RDONLY);
  if (kind == "directory") return open("/", O_RDONLY);
  if (kind == "tty") return open("/dev/ptmx", O_RDWR | O_NOCTTY);
  if (kind == "memfd") return memfd_create("file", 0);
  if (kind == "epoll") return epoll_create1(0);
  if (kind == "channel") return channel;
  if (kind == "udp") return socket(AF_INET, SOCK_DGRAM, 0);
  if (kind == "unconnected") return socket(AF_INET, SOCK_STREAM, 0);
  if (kind == "pipe" && pipe(ends.data()) == 0) return ends[0];
  if (kind == "packets" && socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends.data()) == 0) return ends[0];
  if (kind == "socket" && socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0) return ends[0];
  if (kind == "closed" && socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0) {
    close(ends[1]);
    return ends[0];
  }
  const int listening = kind == "listening" ? socket(AF_INET, SOCK_STREAM, 0) : -1;
  if (listening < 0 || listen(listening, 1) != 0) _exit(11);
  return listening;
}

void give(int descriptor, std::size_t count, std::string_view text) {
  alignas(cmsghdr) Control control{};
  iovec part{const_cast<char*>(text.data()), text.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = CMSG_SPACE(count * sizeof(int));
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(count * sizeof(int));
  const std::vector<int> descriptors(count, descriptor);
  std::memcpy(CMSG_DATA(header), descriptors.data(), count * sizeof(int));
  const ssize_t n = sendmsg(channel, &message, MSG_NOSIGNAL);
  if (n < 0) _exit(8);
  write_all(text.substr(static_cast<std::size_t>(n)));
}

void strays(int count) {
  const int descriptor = open_one("memfd");
  for (int i = 0; i < count; ++i) give(descriptor, 1, std::to_string(i) + "\n");
}

std::size_t taken = 0;

// Reads bytes. Counts and closes the descriptors that come with them.
ssize_t receive(char* to, std::size_t most) {
  alignas(cmsghdr) Control control{};
  iovec part{to, most};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t n = recvmsg(channel, &message, 0);
  if (n <= 0) return n;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    std::vector<int> came(count);
    std::memcpy(came.data(), CMSG_DATA(header), count * sizeof(int));
    for (const int fd : came) close(fd);
    taken += count;
  }
  return n;
}

void expect(const std::string& wanted) {
  std::string seen;
  while (seen.size() < wanted.size()) {
    std::array<char, 4096> piece;
    const ssize_t n = receive(piece.data(), std::min(piece.size(), wanted.size() - seen.size()));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) _exit(9);
    seen.append(piece.data(), static_cast<std::size_t>(n));
  }
  if (seen != wanted) _exit(9);
}

void await(const std::string& wanted) {
  std::string seen;
  while (!seen.ends_with(wanted)) {
    char byte = 0;
    const ssize_t n = read(channel, &byte, 1);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) _exit(9);
    seen += byte;
  }
}

void await_end() {
  std::array<char, 65536> dropped;
  while (read(channel, dropped.data(), dropped.size()) > 0 || errno == EINTR) {
    errno = 0;
  }
}

void await_taken() {
  for (int unread = 1; ioctl(channel, TIOCOUTQ, &unread) == 0 && unread > 0;) sched_yield();
}

void pieces(std::size_t size, std::string_view text) {
  for (; !text.empty(); text.remove_prefix(std::min(size, text.size()))) {
    write_all(text.substr(0, size));
    await_taken();
  }
}

void cuts(const std::string& text) {
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    write_all("\"cut\"\n" + text.substr(0, cut));
    expect("1\n");
    write_all(text.substr(cut));
  }
}

void relay(std::size_t most_read, std::size_t most_written) {
  std::string piece(most_read, '\0');
  for (;;) {
    const ssize_t n = read(channel, piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    std::string_view rest(piece.data(), static_cast<std::size_t>(n));
    for (; !rest.empty(); rest.remove_prefix(std::min(most_written, rest.size()))) {
      write_all(rest.substr(0, most_written));
    }
  }
}

void await_hang_up() {
  pollfd wait{channel, 0, 0};
  while (poll(&wait, 1, -1) < 0 && errno == EINTR) {
  }
}

void repeat(int times, const std::string& text) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  write_all(all);
}

}  // namespace

int main(int argc, char** argv) {
  channel = std::atoi(std::getenv("NODE_CHANNEL_FD"));
  for (int i = 1; i < argc; ++i) {
    const std::string_view step = argv[i];
    const auto argument = [&] { return std::string(argv[++i]); };
    if (step == "send") write_all(unescape(argument()));
    if (step == "bytewise") {
      for (const char byte : unescape(argument())) write_all({&byte, 1});
    }
    if (step == "repeat") {
      const int times = std::stoi(argument());
      repeat(times, unescape(argument()));
    }
    if (step == "prefix") {
      const auto length = static_cast<std::size_t>(std::stoi(argument()));
      write_all(unescape(argument()).substr(0, length));
    }
    if (step == "pieces") {
      const auto size = static_cast<std::size_t>(std::stoi(argument()));
      pieces(size, unescape(argument()));
    }
    if (step == "cuts") cuts(unescape(argument()));
    if (step == "relay") {
      const auto most_read = static_cast<std::size_t>(std::stoi(argument()));
      relay(most_read, static_cast<std::size_t>(std::stoi(argument())));
    }
    if (step == "give") {
      const std::string kind = argument();
      const auto count = static_cast<std::size_t>(std::stoi(argument()));
      give(open_one(kind), count, unescape(argument()));
    }
    if (step == "strays") strays(std::stoi(argument()));
    if (step == "expect") expect(unescape(argument()));
    if (step == "await") await(unescape(argument()));
    if (step == "taken" && std::stoul(argument()) != taken) _exit(10);
    if (step == "await-end") await_end();
    if (step == "half-close") shutdown(channel, SHUT_WR);
    if (step == "refuse-reading") shutdown(channel, SHUT_RD);
    if (step == "await-hang-up") await_hang_up();
    if (step == "close") close(channel);
    if (step == "kill") kill(getpid(), SIGKILL);
    if (step == "abort") std::abort();
    if (step == "exit") _exit(std::stoi(argument()));
  }
}
