#include "command/script/script_child.hpp"

#include <utility>

#include "command/script/transcript.hpp"

namespace tine::command {

namespace {

// The most that is kept ahead of the steps. At so many arrivals the channel is paused.
constexpr std::size_t most_arrivals = 1000;

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
  ForkOptions how = fork_options(options);
  how.cwd = folder / options.cwd;
  how.stdio = {Stdio::ignore(), Stdio::pipe(), Stdio::inherit(), Stdio::ipc()};
  process_ = fork(loop, options.child, std::move(how));
  listen(options.serialization);
  if (process_.out()) listen_to_stdout();
}

void ScriptChild::listen_to_stdout() {
  Stream out = process_.out();
  out.on<"data">([this](std::string_view bytes) {
    stdout_lines_.add(bytes);
    changed_();
  });
  out.on<"end">([this] {
    stdout_lines_.end();
    changed_();
  });
  out.on<"error">([](const Error&) {});
}

// Transcripts have messages as JSON text. In memory, a message of advanced serialization may differ
// from its text: a Buffer is binary, and {"$binary":…}.
void ScriptChild::listen(Serialization serialization) {
  process_.on<"spawn">([this] {
    spawned_ = true;
    changed_();
  });
  process_.on<"message">([this](Text text) { message_text_ = text.json; });
  const bool is_text = serialization == Serialization::json;
  process_.on<"message">([this, is_text](nlohmann::json message) {
    if (!is_text) message = nlohmann::json::parse(message_text_);
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

void ScriptChild::call(const std::string& method, nlohmann::json params) {
  open_call_ = ++last_call_;
  send(call_message(last_call_, method, std::move(params)));
}

std::optional<Reply> ScriptChild::reply(const Arrival& arrival) const {
  if (!open_call_ || arrival.kind != Arrival::Kind::message) return std::nullopt;
  return reply_in(arrival.value, *open_call_);
}

Arrival ScriptChild::take_arrival() {
  const auto said = reply(arrivals_.front());
  if (said && said->kind != Step::Kind::expect_progress) open_call_.reset();
  Arrival first = std::move(arrivals_.front());
  arrivals_.pop_front();
  if (arrivals_.size() == most_arrivals / 2) process_.channel().resume();
  return first;
}

}  // namespace tine::command
