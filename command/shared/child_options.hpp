#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tine/child_process.hpp"

namespace tine::command {

// The program to run as the child, as the command line or a transcript names it.
struct ChildOptions {
  std::string child;
  std::vector<std::string> args;
  std::string exec_path;  // the program that runs the child; empty: chosen by its extension
  std::vector<std::string> exec_args;
  std::string cwd;
  std::vector<std::string> env;  // NAME=VALUE sets a variable, NAME removes it
  Serialization serialization = Serialization::json;
};

// Returns the serialization with this name, "json" or "advanced"; nullopt if there is none.
std::optional<Serialization> serialization_named(std::string_view name);

ForkOptions fork_options(const ChildOptions& options);

// Returns the status that a shell shows: the exit code, or 128 plus the signal; 1 if neither is
// known.
int shell_status(const ExitStatus& status);

}  // namespace tine::command
