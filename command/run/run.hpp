#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "command/shared/child_options.hpp"

namespace tine::command {

struct RunOptions {
  ChildOptions child;
  std::string stdout_file;  // empty: the child's stdout goes to our stderr
  bool wait = false;
  bool keep_going = false;
  std::optional<std::chrono::milliseconds> linger;
  std::chrono::milliseconds kill_after{5000};
  bool pretty = false;
  std::string color = "auto";
  bool quiet = false;  // messages are not printed
};

// `tine run`: sends the lines of stdin to a child and prints its messages to stdout. Returns the
// exit status.
int run(const RunOptions& options);

}  // namespace tine::command
