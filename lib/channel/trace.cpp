#include "channel/trace.hpp"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <new>
#include <string>

#include <fcntl.h>
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

}  // namespace

Trace* Trace::instance() noexcept {
  static Trace* const trace = open();
  return trace;
}

// The file is never closed: channels may write until the process ends.
Trace* Trace::open() noexcept {
  const char* const path = std::getenv("TINE_TRACE");
  if (path == nullptr || *path == '\0') return nullptr;
  constexpr int mode = 0644;
  uv::Descriptor file(::open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, mode));
  return file.get() < 0 ? nullptr : new (std::nothrow) Trace(std::move(file));
}

void Trace::write(const Record& record) noexcept {
  try {
    const std::string line = line_of(record);
    static_cast<void>(!::write(file_.get(), line.data(), line.size()));
  } catch (const std::bad_alloc&) {
  }
}

unsigned Trace::next_channel() noexcept {
  static std::atomic<unsigned> last = 0;
  return ++last;
}

}  // namespace tine::channel
