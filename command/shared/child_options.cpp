#include "command/shared/child_options.hpp"

#include <algorithm>
#include <array>

namespace tine::command {

namespace {

bool is_script(const std::filesystem::path& module) {
  constexpr std::array<std::string_view, 3> extensions{".js", ".mjs", ".cjs"};
  return std::find(extensions.begin(), extensions.end(), module.extension()) != extensions.end();
}

}  // namespace

std::optional<Serialization> serialization_named(std::string_view name) {
  if (name == "json") return Serialization::json;
  return name == "advanced" ? std::optional(Serialization::advanced) : std::nullopt;
}

ForkOptions fork_options(const ChildOptions& options) {
  ForkOptions fork;
  fork.args = options.args;
  fork.exec_path = options.exec_path;
  fork.exec_args = options.exec_args;
  fork.cwd = options.cwd;
  fork.serialization = options.serialization;
  if (fork.exec_path.empty() && is_script(options.child)) fork.exec_path = "node";
  for (const std::string& variable : options.env) {
    const auto equals = variable.find('=');
    const std::string name = variable.substr(0, equals);
    if (equals == std::string::npos) {
      fork.env[name] = std::nullopt;
    } else {
      fork.env[name] = variable.substr(equals + 1);
    }
  }
  fork.kill_with_loop = true;
  return fork;
}

int shell_status(const ExitStatus& status) {
  constexpr int signalled = 128;
  if (status.signal) return signalled + *status.signal;
  return status.code.value_or(1);
}

}  // namespace tine::command
