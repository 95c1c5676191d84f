#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tine::command {

// One line of a trace.
struct TraceRecord {
  double time = 0;
  int pid = 0;
  std::optional<int> peer;
  int channel = 0;
  bool out = false;
  std::size_t size = 0;
  std::size_t queued = 0;
  bool internal = false;
  bool bad = false;
  std::string message;  // the text; of a bad line, why it is no message
};

// Reads one line. Returns nullopt if it is not a record.
std::optional<TraceRecord> read_trace_record(std::string_view line);

}  // namespace tine::command
