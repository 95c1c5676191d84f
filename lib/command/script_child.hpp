#pragma once

#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "command/child_options.hpp"
#include "command/line_splitter.hpp"
#include "tine/child_process.hpp"
#include "tine/loop.hpp"

namespace tine::command {

// What came from a child, in order.
struct Arrival {
  enum class Kind { message, disconnect, exit, error };

  Kind kind;
  std::string text;  // of a message as it came; of an error what it says
  nlohmann::json value;
  ExitStatus status;
};

// As a transcript writes it: JSON, "disconnect", "exit 0".
std::string to_string(const Arrival& arrival);
std::string exit_text(const ExitStatus& status);

// A child of a transcript, and what came from it that no step has taken.
class ScriptChild {
 public:
  // `folder` is where `options` count from. `changed` is called when something came, or may be sent.
  ScriptChild(Loop& loop, std::string name, const ChildOptions& options,
              const std::filesystem::path& folder, std::function<void()> changed);
  ScriptChild(const ScriptChild&) = delete;
  ScriptChild& operator=(const ScriptChild&) = delete;

  const std::string& name() const { return name_; }
  ChildProcess& process() { return process_; }
  bool spawned() const { return spawned_; }
  bool closed() const { return closed_; }

  // False: not now, wait for `changed`.
  bool may_send() const { return !held_; }
  void send(const nlohmann::json& message) { held_ = !process_.send(message); }

  const std::deque<Arrival>& arrivals() const { return arrivals_; }
  Arrival take_arrival();

  const std::deque<std::string>& stdout_lines() const { return stdout_lines_; }
  void take_stdout_line();
  bool stdout_ended() const { return stdout_ended_; }

 private:
  void listen_to_stdout();
  void listen();
  void add(Arrival arrival);
  void on_stdout(std::string_view bytes);

  std::string name_;
  std::function<void()> changed_;
  ChildProcess process_;
  LineSplitter splitter_;
  std::deque<std::string> stdout_lines_;
  bool stdout_ended_ = false;
  std::deque<Arrival> arrivals_;
  std::string message_text_;
  bool spawned_ = false;
  bool closed_ = false;
  bool held_ = false;
};

}  // namespace tine::command
