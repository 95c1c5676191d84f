#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "command/run.hpp"

namespace tine::command {

struct TraceOptions {
  // Either: a trace to show …
  std::string file;
  std::string direction;   // in or out; empty: both
  std::optional<int> pid;  // of either end
  bool no_internal = false;
  std::string grep;
  std::size_t min_size = 0;
  bool statistics = false;

  // … or a child to trace.
  RunOptions run;
  std::string output;  // empty: stdout, in place of the messages
};

// `tine trace FILE`. The status to exit with.
int show_trace(const TraceOptions& options);

// `tine trace -- CHILD`. The status to exit with.
int trace_child(TraceOptions options);

}  // namespace tine::command
