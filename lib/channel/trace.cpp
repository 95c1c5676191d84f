#include "channel/trace.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <new>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

namespace tine::channel {

namespace {

std::string now() {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  char text[40];
  std::snprintf(text, sizeof(text), "%lld.%06ld", static_cast<long long>(time.tv_sec),
                time.tv_nsec / 1000);
  return text;
}

std::string quoted(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// The text may be unparsed, or JSON that only tine accepts. Unless other parsers accept it too, it
// is written as a string, so that it does not spoil its line.
std::string member(std::string_view text) {
  const bool valid = nlohmann::json::accept(text);
  return valid ? ",\"message\":" + std::string(text) : ",\"text\":" + quoted(text);
}

std::string line_of(const Trace::Record& record) {
  std::string line = "{\"time\":" + now() + ",\"pid\":" + std::to_string(getpid());
  if (record.peer) line += ",\"peer\":" + std::to_string(*record.peer);
  line += ",\"channel\":" + std::to_string(record.channel);
  line +=
      record.direction == Trace::Direction::in ? ",\"direction\":\"in\"" : ",\"direction\":\"out\"";
  line += ",\"size\":" + std::to_string(record.text.size());
  line += ",\"queued\":" + std::to_string(record.queued);
  if (record.internal) line += ",\"internal\":true";
  line += record.bad.empty() ? member(record.text) : ",\"bad\":" + quoted(record.bad);
  return line + "}\n";
}

// Returns null in a set-uid program.
const char* trusted_variable(const char* name) {
#ifdef __linux__
  return secure_getenv(name);
#else
  return issetugid() != 0 ? nullptr : std::getenv(name);
#endif
}

bool same_file(const struct stat& file, int fd) {
  struct stat other {};
  return fstat(fd, &other) == 0 && file.st_dev == other.st_dev && file.st_ino == other.st_ino;
}

// Returns O_NONBLOCK for a FIFO: one without a reader must not block the program. A FIFO that is the
// program's stdout or stderr stays as it is.
int blocking_flag(const char* path) {
  struct stat status {};
  const bool fifo = stat(path, &status) == 0 && S_ISFIFO(status.st_mode);
  const bool own = same_file(status, STDOUT_FILENO) || same_file(status, STDERR_FILENO);
  return fifo && !own ? O_NONBLOCK : 0;
}

}  // namespace

Trace* Trace::instance() noexcept {
  static Trace* const trace = open();
  return trace;
}

std::optional<std::string> Trace::file() {
  const char* const path = trusted_variable(variable);
  if (path == nullptr || *path == '\0') return std::nullopt;
  static const std::filesystem::path directory = [] {
    std::error_code unused;
    return std::filesystem::current_path(unused);
  }();
  return directory / path;
}

// The file is never closed: channels may write until the process ends.
Trace* Trace::open() noexcept {
  try {
    const auto path = file();
    if (!path) return nullptr;
    constexpr int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY;
    constexpr int mode = 0644;
    base::Descriptor opened(::open(path->c_str(), flags | blocking_flag(path->c_str()), mode));
    return opened.get() < 0 ? nullptr : new Trace(std::move(opened));
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

// Finishes a line that is partly written first. A line that the file does not take at all is lost.
void Trace::write(const Record& record) noexcept {
  try {
    std::string line = line_of(record);
    const std::lock_guard lock(mutex_);
    put();
    if (written_ > 0) return;
    line_ = std::move(line);
    put();
  } catch (const std::bad_alloc&) {
  }
}

// Writes the rest of the line. A FIFO may take a part of it, and so may a full disk.
void Trace::put() noexcept {
  while (written_ < line_.size()) {
    const auto count = ::write(file_.get(), line_.data() + written_, line_.size() - written_);
    if (count > 0) {
      written_ += static_cast<std::size_t>(count);
      stalled_ = false;
    } else if (count < 0 && errno == EPIPE) {
      break;  // the next reader gets whole lines
    } else if (count == 0 || (errno != EINTR && (errno != EAGAIN || !room()))) {
      return;
    }
  }
  line_.clear();
  written_ = 0;
}

// Waits for a slow reader, but only once for a reader that has stopped.
bool Trace::room() noexcept {
  using namespace std::chrono;
  const auto deadline = steady_clock::now() + 100ms;
  while (!stalled_) {
    const auto left = std::max(ceil<milliseconds>(deadline - steady_clock::now()), 0ms);
    pollfd fifo{file_.get(), POLLOUT, 0};
    const int ready = poll(&fifo, 1, static_cast<int>(left.count()));
    if (ready > 0) return true;
    stalled_ = ready == 0 || errno != EINTR;
  }
  return false;
}

unsigned Trace::next_channel() noexcept {
  static std::atomic<unsigned> last = 0;
  return ++last;
}

}  // namespace tine::channel
