#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "command/run/run.hpp"

namespace tine::command {

struct TraceOptions {
  // Either a trace to show …
  std::string file;
  std::string direction;   // in or out; empty: both
  std::optional<int> pid;  // of the process that wrote the record
  bool no_internal = false;
  std::string grep;
  std::size_t min_size = 0;
  bool statistics = false;

  // … or a child to trace.
  RunOptions run;
  std::string output;  // empty: stdout, instead of the messages
};

// `tine trace FILE`: shows a trace. Returns the exit status.
int show_trace(const TraceOptions& options);

// `tine trace -- CHILD`: runs a child and traces its channel. Returns the exit status.
int trace_child(TraceOptions options);

}  // namespace tine::command
