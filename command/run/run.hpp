#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "command/shared/child_job.hpp"

namespace tine::command {

struct RunOptions {
  JobOptions job;
  bool wait = false;
  bool keep_going = false;
  std::optional<std::chrono::milliseconds> linger;
  bool pretty = false;
  std::string color = "auto";
  bool quiet = false;  // messages are not printed
};

// `tine run`: sends the lines of stdin to a child and prints its messages to stdout. Returns the
// exit status.
int run(const RunOptions& options);

}  // namespace tine::command
