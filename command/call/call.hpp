#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "command/shared/child_job.hpp"

namespace tine::command {

struct CallOptions {
  JobOptions job;
  std::string method;
  std::optional<std::string> params;  // JSON, or "-": stdin has it
  std::optional<std::chrono::milliseconds> within;
  bool notify = false;
  bool raw = false;
  bool pretty = false;
  std::string color = "auto";
};

// `tine call`: makes one request to a child and prints the result. Returns the exit status.
int call(const CallOptions& options);

}  // namespace tine::command
