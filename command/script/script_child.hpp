#pragma once

#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "command/script/call_messages.hpp"
#include "command/script/stdout_lines.hpp"
#include "command/shared/child_options.hpp"
#include "tine/child_process.hpp"
#include "tine/loop.hpp"

namespace tine::command {

// A message, a disconnect, an exit or an error of a child.
struct Arrival {
  enum class Kind { message, disconnect, exit, error };

  Kind kind;
  std::string text;  // a message as it came, or the text of an error
  nlohmann::json value;
  ExitStatus status;
};

// Formats an arrival as a transcript does: JSON, "disconnect" or "exit 0". An error is "error: "
// and its text.
std::string to_string(const Arrival& arrival);
std::string exit_text(const ExitStatus& status);

// A child of a transcript, with the arrivals and stdout lines that no step has taken yet.
class ScriptChild {
 public:
  // The paths in `options` are relative to `folder`. `changed` is called when something came, when
  // the child starts or closes, and when sending is possible again.
  ScriptChild(Loop& loop, std::string name, const ChildOptions& options,
              const std::filesystem::path& folder, std::function<void()> changed);
  ScriptChild(const ScriptChild&) = delete;
  ScriptChild& operator=(const ScriptChild&) = delete;

  const std::string& name() const { return name_; }
  ChildProcess& process() { return process_; }
  bool spawned() const { return spawned_; }
  bool closed() const { return closed_; }

  // Whether a message may be sent now. If not, wait for `changed`.
  bool may_send() const { return !held_; }
  void send(const nlohmann::json& message) { held_ = !process_.send(message); }

  // Makes a request with the next id.
  void call(const std::string& method, nlohmann::json params);
  void cancel() { send(cancel_message(last_call_)); }
  // Returns what a message says about the last call; nullopt if it says nothing about it, or if the
  // call has been answered.
  std::optional<Reply> reply(const Arrival& arrival) const;

  const std::deque<Arrival>& arrivals() const { return arrivals_; }
  Arrival take_arrival();

  StdoutLines& stdout_lines() { return stdout_lines_; }

 private:
  void listen_to_stdout();
  void listen(Serialization serialization);
  void add(Arrival arrival);

  std::string name_;
  std::function<void()> changed_;
  ChildProcess process_;
  StdoutLines stdout_lines_;
  std::deque<Arrival> arrivals_;
  std::string message_text_;
  bool spawned_ = false;
  bool closed_ = false;
  bool held_ = false;
  int last_call_ = 0;
  std::optional<int> open_call_;
};

}  // namespace tine::command
