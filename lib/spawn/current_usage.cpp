#include "spawn/current_usage.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/descriptor.hpp"

namespace tine::spawn {

namespace {

// Returns what `read` returns if the program still has its pid afterwards: then all of it is about this
// program.
template <class F>
auto of_running(const Subprocess& program, F read) {
  auto usage = read();
  if (usage && !program.runs()) usage.reset();
  return usage;
}

std::string path_of(const Subprocess& program, const char* file) {
  return "/proc/" + std::to_string(program.pid()) + "/" + file;
}

// A file of /proc that fits into a kilobyte, which is read by one system call.
class SmallFile {
 public:
  explicit SmallFile(const std::string& path) {
    const base::Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.get() < 0) return;
    const ssize_t size = read(file.get(), content_.data(), content_.size());
    if (size > 0) text_ = {content_.data(), static_cast<std::size_t>(size)};
  }
  SmallFile(const SmallFile&) = delete;
  SmallFile& operator=(const SmallFile&) = delete;

  // Empty if the file cannot be read.
  std::string_view text() const { return text_; }

 private:
  std::array<char, 1024> content_;
  std::string_view text_;
};

// Returns the field with this number, counted from 0; 0 if there is none.
std::uint64_t field(std::string_view fields, int number) {
  for (; number > 0 && !fields.empty(); --number) {
    fields.remove_prefix(std::min(fields.find(' '), fields.size() - 1) + 1);
  }
  std::uint64_t value = 0;
  std::from_chars(fields.data(), fields.data() + fields.size(), value);
  return value;
}

// Reads /proc/PID/statm: the sizes of the whole and of the resident memory in pages, and more.
std::optional<std::size_t> read_memory(const Subprocess& program) {
  const SmallFile statm(path_of(program, "statm"));
  if (statm.text().empty()) return std::nullopt;
  static const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return field(statm.text(), 1) * page;
}

std::chrono::microseconds time_of(std::uint64_t ticks) {
  static const auto per_second = static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK));
  constexpr std::uint64_t million = 1'000'000;
  return std::chrono::microseconds(ticks * million / per_second);
}

// The number of entries of /proc/PID/fd. nullopt if it may not be read.
std::optional<std::size_t> count_descriptors(const Subprocess& program) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir(path_of(program, "fd").c_str()),
                                                      closedir);
  if (!directory) return std::nullopt;
  std::size_t count = 0;
  while (const dirent* const entry = readdir(directory.get())) count += entry->d_name[0] != '.';
  return count;
}

// Reads /proc/PID/stat: "PID (NAME) STATE PARENT …", where the name may contain anything. The numbers
// of the fields are those of proc(5), less the ones before STATE.
std::optional<CurrentUsage> read_usage(const Subprocess& program) {
  constexpr int user_time = 14 - 3;
  constexpr int system_time = 15 - 3;
  constexpr int threads = 20 - 3;
  const SmallFile stat(path_of(program, "stat"));
  const auto memory = read_memory(program);
  const std::size_t name_end = stat.text().rfind(") ");
  if (name_end == std::string_view::npos || !memory) return std::nullopt;
  const std::string_view fields = stat.text().substr(name_end + 2);
  return CurrentUsage{.user_time = time_of(field(fields, user_time)),
                      .system_time = time_of(field(fields, system_time)),
                      .memory = *memory,
                      .threads = field(fields, threads),
                      .descriptors = count_descriptors(program)};
}

std::optional<std::chrono::nanoseconds> read_cpu_time([[maybe_unused]] const Subprocess& program) {
#ifdef __linux__
  clockid_t clock{};
  timespec time{};
  if (clock_getcpuclockid(program.pid(), &clock) != 0) return std::nullopt;
  if (clock_gettime(clock, &time) != 0) return std::nullopt;
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
#else
  return std::nullopt;
#endif
}

}  // namespace

std::optional<std::size_t> resident_memory(const Subprocess& program) {
  return of_running(program, [&] { return read_memory(program); });
}

std::optional<std::chrono::nanoseconds> cpu_time(const Subprocess& program) {
  return of_running(program, [&] { return read_cpu_time(program); });
}

std::optional<CurrentUsage> current_usage(const Subprocess& program) {
  return of_running(program, [&] { return read_usage(program); });
}

}  // namespace tine::spawn
