#include "command/script/script.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "command/script/report.hpp"
#include "command/script/script_result.hpp"
#include "command/script/transcript_run.hpp"
#include "command/shared/json_print.hpp"
#include "command/shared/signals.hpp"
#include "command/shared/status.hpp"
#include "tine/loop.hpp"

namespace tine::command {

namespace {

using Clock = std::chrono::steady_clock;

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file || file.bad()) throw std::system_error(errno, std::generic_category(), path);
  return text;
}

// Writes a new file beside the old one and renames it: a transcript is never half written.
void replace_file(const std::string& path, const std::string& text) {
  const std::string beside = path + ".new";
  std::ofstream file(beside, std::ios::binary);
  file << text;
  file.close();
  if (!file) throw std::system_error(errno, std::generic_category(), beside);
  std::filesystem::rename(beside, path);
}

// A run of all transcripts, `jobs` of them at a time.
class Script {
 public:
  explicit Script(const ScriptOptions& options)
      : options_(options),
        color_(use_color(options.color, STDOUT_FILENO)),
        results_(options.files.size()),
        ready_(options.files.size()) {}

  int run() {
    on_ending_signals(loop_, [this](const Signal& signal) {
      signal_ = signal.number;
      loop_.stop();
    });
    open_output();
    loop_.ref();
    for (std::size_t i = 0; i < options_.jobs; ++i) start_next();
    if (running_.empty()) loop_.unref();
    loop_.run();
    constexpr int signalled = 128;
    if (signal_ != 0) return signalled + signal_;
    if (options_.format == "junit") print(report_as_junit(results_));
    return status();
  }

 private:
  struct Running {
    Transcript transcript;
    std::unique_ptr<TranscriptRun> run;
  };

  void open_output();
  void start_next();
  bool start(std::size_t index);
  void finished(std::size_t index);
  void report_ready();
  void print(const std::string& text);
  int status() const;

  const ScriptOptions& options_;
  Loop loop_;
  int output_ = -1;
  bool color_;
  int signal_ = 0;
  std::vector<ScriptResult> results_;
  std::vector<bool> ready_;
  std::size_t reported_ = 0;
  std::size_t next_ = 0;
  std::map<std::size_t, Running> running_;
};

void Script::open_output() {
  output_ = STDOUT_FILENO;
  if (!options_.output.empty()) {
    constexpr int mode = 0666;
    output_ = open(options_.output.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (output_ < 0) throw std::system_error(errno, std::generic_category(), options_.output);
  }
  if (options_.format == "tap") {
    print("TAP version 13\n1.." + std::to_string(options_.files.size()) + "\n");
  }
}

// Starts the next transcript that can be read.
void Script::start_next() {
  while (next_ < options_.files.size() && !start(next_++)) {
  }
}

bool Script::start(std::size_t index) {
  ScriptResult& result = results_[index];
  result.file = options_.files[index];
  const auto variable = [this](const std::string& name) -> std::optional<std::string> {
    const auto found = options_.variables.find(name);
    if (found != options_.variables.end()) return found->second;
    const char* const value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
  try {
    Running& running = running_[index];
    running.transcript = parse_transcript(read_file(result.file), variable);
    const auto folder = std::filesystem::absolute(result.file).parent_path();
    const auto began = Clock::now();
    running.run = std::make_unique<TranscriptRun>(
        loop_, running.transcript, folder, options_.update,
        [this, index, began](auto failure, auto updated) {
          ScriptResult& ended = results_[index];
          ended.failure = std::move(failure);
          ended.updated = std::move(updated);
          ended.time = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began);
          loop_.post([this, index] { finished(index); });
        });
    running.run->start();
    return true;
  } catch (const TranscriptError& error) {
    result.unreadable = error;
  } catch (const std::system_error& error) {
    result.unreadable = TranscriptError({}, error.what());
  }
  running_.erase(index);
  ready_[index] = true;
  report_ready();
  return false;
}

void Script::finished(std::size_t index) {
  ScriptResult& result = results_[index];
  if (result.updated) replace_file(result.file, *result.updated);
  running_.erase(index);
  ready_[index] = true;
  report_ready();
  start_next();
  if (running_.empty()) loop_.unref();
}

// Reports the transcripts that are done, in the order of the command line.
void Script::report_ready() {
  for (; reported_ < ready_.size() && ready_[reported_]; ++reported_) {
    const ScriptResult& result = results_[reported_];
    if (options_.format == "people") print(report_for_people(result, color_));
    if (options_.format == "tap") print(report_as_tap(result, reported_ + 1));
  }
}

void Script::print(const std::string& text) {
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t n = ::write(output_, rest.data(), rest.size());
    if (n >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno == EAGAIN) {
      pollfd writable{output_, POLLOUT, 0};  // another process has made it non-blocking
      poll(&writable, 1, -1);
    } else if (errno != EINTR) {
      throw std::system_error(errno, std::generic_category(), "the report");
    }
  }
}

int Script::status() const {
  const auto any = [this](auto&& is) { return std::any_of(results_.begin(), results_.end(), is); };
  if (any([](const ScriptResult& result) { return result.unreadable.has_value(); })) {
    return status::unreadable;
  }
  const bool failed = any([](const ScriptResult& result) { return result.failure.has_value(); });
  return failed ? status::failed : status::ok;
}

}  // namespace

int script(const ScriptOptions& options) { return Script(options).run(); }

}  // namespace tine::command
