#include "command/script_child.hpp"

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "command/own_streams.hpp"
#include "command/transcript.hpp"

namespace tine::command {

namespace {

// More than this is not read ahead of the steps.
constexpr std::size_t most_arrivals = 1000;
constexpr std::size_t most_stdout_lines = 1000;

std::array<int, 2> make_pipe() {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) < 0) throw std::system_error(errno, std::generic_category());
  for (const int end : ends) fcntl(end, F_SETFD, FD_CLOEXEC);
  return ends;
}

}  // namespace

std::string exit_text(const ExitStatus& status) {
  if (status.signal) return "exit " + signal_name(*status.signal);
  return status.code ? "exit " + std::to_string(*status.code) : "exit any";
}

std::string to_string(const Arrival& arrival) {
  switch (arrival.kind) {
    case Arrival::Kind::message: return arrival.text;
    case Arrival::Kind::disconnect: return "disconnect";
    case Arrival::Kind::exit: return exit_text(arrival.status);
    case Arrival::Kind::error: return "error: " + arrival.text;
  }
  return {};
}

ScriptChild::ScriptChild(Loop& loop, std::string name, const ChildOptions& options,
                         const std::filesystem::path& folder, std::function<void()> changed)
    : name_(std::move(name)), changed_(std::move(changed)) {
  fork_with_stdout(loop, options, folder);
  stdout_reader_ = std::make_unique<ByteReader>(
      loop, stdout_, [this](std::string_view bytes) { on_stdout(bytes); });
  stdout_reader_->more();
  listen();
}

ScriptChild::~ScriptChild() {
  stdout_reader_.reset();
  close(stdout_);
}

void ScriptChild::fork_with_stdout(Loop& loop, const ChildOptions& options,
                                   const std::filesystem::path& folder) {
  const auto [ours, theirs] = make_pipe();
  stdout_ = ours;
  ForkOptions how = fork_options(options);
  how.cwd = folder / options.cwd;
  const ChildStdout redirected(theirs);
  close(theirs);
  process_ = fork(loop, options.child, std::move(how));
}

void ScriptChild::listen() {
  process_.on<"spawn">([this] {
    spawned_ = true;
    changed_();
  });
  process_.on<"message">([this](Text text) { message_text_ = text.json; });
  process_.on<"message">([this](nlohmann::json message) {
    add({Arrival::Kind::message, std::move(message_text_), std::move(message), {}});
  });
  process_.on<"drain">([this] {
    held_ = false;
    changed_();
  });
  process_.on<"error">([this](const Error& error) {
    held_ = false;
    add({Arrival::Kind::error, error.what(), {}, {}});
  });
  process_.on<"disconnect">([this] { add({Arrival::Kind::disconnect, {}, {}, {}}); });
  process_.on<"exit">([this](const ExitStatus& status) {
    add({Arrival::Kind::exit, {}, {}, status});
  });
  process_.on<"close">([this] {
    closed_ = true;
    changed_();
  });
}

void ScriptChild::add(Arrival arrival) {
  arrivals_.push_back(std::move(arrival));
  if (arrivals_.size() == most_arrivals) process_.channel().pause();
  changed_();
}

Arrival ScriptChild::take_arrival() {
  Arrival first = std::move(arrivals_.front());
  arrivals_.pop_front();
  if (arrivals_.size() == most_arrivals / 2) process_.channel().resume();
  return first;
}

void ScriptChild::on_stdout(std::string_view bytes) {
  stdout_ended_ = bytes.empty();
  splitter_.add(bytes);
  if (stdout_ended_) splitter_.end();
  while (const auto line = splitter_.next()) {
    // Where no step asks for them, only the last ones stay.
    if (stdout_lines_.size() == most_stdout_lines) stdout_lines_.pop_front();
    stdout_lines_.emplace_back(*line);
  }
  if (!stdout_ended_) stdout_reader_->more();
  changed_();
}

void ScriptChild::take_stdout_line() { stdout_lines_.pop_front(); }

}  // namespace tine::command
