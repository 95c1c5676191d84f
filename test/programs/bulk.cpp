// A child that writes large amounts of one kind of data to its channel, without the library:
//
//   endless N      N bytes without a line feed
//   empty N        N empty lines
//   blanks N       a line of N blanks
//   blank-lines N  N blanks in lines of 64 KiB
//   bad-lines N    N bytes in lines of 4 KiB, each an array that is not closed
//   arrays N       a line of N nested arrays
//   objects N      a line of N nested objects
//   keys N         an object with N keys
//   same-keys N    an object with one key, N times
//   digits N       a number of N digits
//   text N         a string of N characters
//
// Several of these may follow each other. After them comes the message "end". The exit code is 1 if
// a write fails because the parent has stopped reading.
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <string_view>

#include <sys/socket.h>

namespace {

constexpr std::size_t piece = std::size_t{1} << 20;

void write_all(std::string_view bytes) {
  static const int channel = std::atoi(std::getenv("NODE_CHANNEL_FD"));
  while (!bytes.empty()) {
    const ssize_t n = send(channel, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) std::_Exit(1);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

// Writes in pieces, so that this program needs little memory.
void repeat(std::string_view text, std::size_t times) {
  const std::size_t together = std::min(times, piece / text.size());
  std::string many;
  for (std::size_t i = 0; i < together; ++i) many += text;
  for (; times >= together && together > 0; times -= together) write_all(many);
  write_all(std::string_view(many).substr(0, times * text.size()));
}

void keys(std::size_t count) {
  std::string text = "{";
  for (std::size_t i = 0; i < count; ++i) {
    text += "\"key" + std::to_string(i * 7919 % count) + "\":" + std::to_string(i) + ",";
    if (text.size() > piece) {
      write_all(text);
      text.clear();
    }
  }
  write_all(text + "\"last\":0}\n");
}

void write(std::string_view what, std::size_t count) {
  if (what == "endless") repeat("x", count);
  if (what == "empty") repeat("\n", count);
  if (what == "keys") keys(count);
  if (what == "blanks") {
    repeat(" ", count);
    write_all("\n");
  }
  if (what == "blank-lines") repeat(std::string(65'535, ' ') + "\n", count / 65'536);
  if (what == "bad-lines") {
    std::string line = "[";
    while (line.size() < 4095) line += "0,";
    repeat(line + "\n", count / 4096);
  }
  if (what == "arrays") {
    repeat("[", count);
    repeat("]", count);
    write_all("\n");
  }
  if (what == "objects") {
    repeat("{\"a\":", count);
    write_all("1");
    repeat("}", count);
    write_all("\n");
  }
  if (what == "same-keys") {
    write_all("{");
    repeat("\"a\":1,", count);
    write_all("\"a\":2}\n");
  }
  if (what == "text") {
    write_all("\"");
    repeat("x", count);
    write_all("\"\n");
  }
  if (what == "digits") {
    repeat("7", count);
    write_all("\n");
  }
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i + 1 < argc; i += 2) write(argv[i], std::stoul(argv[i + 1]));
  write_all("\"end\"\n");
}
