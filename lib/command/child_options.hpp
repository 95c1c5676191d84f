#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tine/child_process.hpp"

namespace tine::command {

// Which program is to be the child, as the command line or a transcript says it.
struct ChildOptions {
  std::string child;
  std::vector<std::string> args;
  std::string exec_path;  // runs the child; empty: what its extension asks for
  std::vector<std::string> exec_args;
  std::string cwd;
  std::vector<std::string> env;  // NAME=VALUE sets, NAME removes
};

ForkOptions fork_options(const ChildOptions& options);

// As a shell shows how a program ended: its code, or 128 and the signal.
int shell_status(const ExitStatus& status);

}  // namespace tine::command
