// A child that does what its arguments say, byte by byte, with nothing of the library's. Each is a step:
//
//   send TEXT        writes TEXT; \n, \0 and \xHH stand for bytes
//   bytewise TEXT    the same, a write for each byte
//   repeat N TEXT    writes TEXT N times, in writes as large as possible
//   prefix N TEXT    writes the first N bytes of TEXT
//   expect TEXT      reads until TEXT has come; other bytes, or the end, are exit code 9
//   await-end        reads and drops until the end of the stream
//   half-close       no more will be written
//   close            closes the channel
//   kill             kills itself with SIGKILL
//   abort            ends by SIGABRT
//   exit N           ends
//
// Then it ends with exit code 0. The channel is the descriptor in NODE_CHANNEL_FD.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <string_view>

#include <signal.h>
#include <sys/socket.h>
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

void expect(const std::string& wanted) {
  std::string seen;
  while (seen.size() < wanted.size()) {
    std::array<char, 4096> piece;
    const ssize_t n =
        read(channel, piece.data(), std::min(piece.size(), wanted.size() - seen.size()));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) _exit(9);
    seen.append(piece.data(), static_cast<std::size_t>(n));
  }
  if (seen != wanted) _exit(9);
}

void await_end() {
  std::array<char, 65536> dropped;
  while (read(channel, dropped.data(), dropped.size()) > 0 || errno == EINTR) {
    errno = 0;
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
    if (step == "expect") expect(unescape(argument()));
    if (step == "await-end") await_end();
    if (step == "half-close") shutdown(channel, SHUT_WR);
    if (step == "close") close(channel);
    if (step == "kill") kill(getpid(), SIGKILL);
    if (step == "abort") std::abort();
    if (step == "exit") _exit(std::stoi(argument()));
  }
}
