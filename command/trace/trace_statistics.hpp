#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "command/trace/trace_record.hpp"

namespace tine::command {

// Statistics of each end of each channel in a trace: counts, bytes, how long after a message the
// next one came back, and how much was queued at most.
class TraceStatistics {
 public:
  void add(const TraceRecord& record);
  std::string text() const;

 private:
  struct Way {
    std::size_t messages = 0;
    std::size_t bytes = 0;
    std::size_t queue_peak = 0;
  };
  struct End {
    std::optional<int> peer;
    Way in;
    Way out;
    std::optional<double> unanswered;  // when the first message went out after the last came in
    std::vector<double> latencies;     // in seconds
  };

  std::map<std::pair<int, int>, End> ends_;  // by pid and channel
};

}  // namespace tine::command
