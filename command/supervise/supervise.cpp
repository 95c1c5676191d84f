#include "command/supervise/supervise.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>

#include <nlohmann/json.hpp>

#include "command/shared/json_input.hpp"
#include "command/shared/signal_names.hpp"
#include "command/shared/status.hpp"
#include "command/supervise/supervision_file.hpp"
#include "tine/loop.hpp"
#include "tine/signal.hpp"

namespace tine::command {

namespace {

// Returns the time as 2026-12-01T04:37:48.123Z.
std::string now_text() {
  using namespace std::chrono;
  const auto now = system_clock::now();
  const std::time_t whole = system_clock::to_time_t(floor<std::chrono::seconds>(now));
  const auto ms = duration_cast<milliseconds>(now - floor<std::chrono::seconds>(now)).count();
  std::tm parts{};
  gmtime_r(&whole, &parts);
  std::array<char, sizeof "2026-12-01T04:37:48"> date{};
  std::strftime(date.data(), date.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  constexpr std::size_t room = 16;
  std::array<char, room> fraction{};
  std::snprintf(fraction.data(), fraction.size(), ".%03dZ", static_cast<int>(ms));
  return std::string(date.data()) + fraction.data();
}

void log_event(const std::string& name, const std::string& what) {
  std::fprintf(stderr, "%s %s %s\n", now_text().c_str(), name.c_str(), what.c_str());
}

// The events that concern no child alone.
void log_event(const std::string& what) { log_event("tine", what); }

class Service {
 public:
  explicit Service(const Supervision& supervision) : supervisor_(loop_, supervision.options) {
    for (const ChildSpec& child : supervision.children) supervisor_.add(child);
    listen();
    for (const int number : {SIGINT, SIGTERM}) {
      on_signal(loop_, number, [this](const Signal& signal) { signalled(signal); });
    }
  }

  int run() {
    supervisor_.start();
    loop_.run();
    return given_up_ || signals_ > 1 ? status::failed : status::ok;
  }

 private:
  void listen();
  static void listen_to(const std::string& name, const ChildProcess& child);
  void signalled(const Signal& signal);

  Loop loop_;
  Supervisor supervisor_;
  bool given_up_ = false;
  int signals_ = 0;
};

void Service::listen() {
  supervisor_.on<"start">([](const std::string& name, const ChildProcess& child) {
    log_event(name, "started, pid " + std::to_string(child.pid().value_or(0)));
    listen_to(name, child);
  });
  supervisor_.on<"ready">([](const std::string& name) { log_event(name, "ready"); });
  supervisor_.on<"hung">([](const std::string& name) {
    log_event(name, "does not answer its heartbeat, and is killed");
  });
  supervisor_.on<"exit">([](const std::string& name, const ExitStatus& status) {
    log_event(name, "ended with " + to_string(status));
  });
  supervisor_.on<"restart">([](const std::string& name, std::chrono::milliseconds delay,
                               const std::string& why) {
    log_event(name, "will be started again in " + std::to_string(delay.count()) + " ms: " + why);
  });
  supervisor_.on<"failed">([this](const Error& error) {
    given_up_ = true;
    log_event("gives up: " + std::string(error.what()));
  });
  supervisor_.on<"close">([] { log_event("all children have ended"); });
}

// Nobody here has a use for messages. They are dropped, because a child whose messages are not read is
// not read at all after a while.
void Service::listen_to(const std::string& name, const ChildProcess& child) {
  child.on<"message">([] {});
  child.on<"error">([name](const Error& error) { log_event(name, error.what()); });
}

void Service::signalled(const Signal& signal) {
  const bool first = ++signals_ == 1;
  log_event(signal_name(signal.number) + (first ? ": stops all children" : ": kills all children"));
  first ? supervisor_.stop() : supervisor_.kill();
}

void print_error(const std::string& path, const std::string& what) {
  std::fprintf(stderr, "tine: %s%s\n", path.c_str(), what.c_str());
}

// Returns what the file says; or nothing, after a line on stderr.
std::optional<Supervision> load(const std::string& path) {
  try {
    nlohmann::json content;
    if (!parse_json(read_file(path), path.c_str(), content)) return std::nullopt;
    return read_supervision(content, std::filesystem::absolute(path).parent_path());
  } catch (const std::system_error& error) {
    print_error(path, " cannot be read: " + error.code().message());
  } catch (const BadFile& error) {
    print_error(path, ": " + std::string(error.what()));
  }
  return std::nullopt;
}

}  // namespace

int supervise(const SuperviseOptions& options) {
  const auto supervision = load(options.file);
  if (!supervision) return status::unreadable;
  return options.check ? status::ok : Service(*supervision).run();
}

}  // namespace tine::command
