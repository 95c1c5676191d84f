#include "command/trace/trace_statistics.hpp"

#include <algorithm>
#include <cstdio>

namespace tine::command {

namespace {

std::string in_milliseconds(double seconds) {
  char text[40];
  std::snprintf(text, sizeof(text), "%.3f ms", seconds * 1000);
  return text;
}

// `sorted` must not be empty.
double quantile(const std::vector<double>& sorted, double part) {
  const auto last = static_cast<double>(sorted.size() - 1);
  return sorted[static_cast<std::size_t>(last * part)];
}

std::string way_text(const char* name, std::size_t messages, std::size_t bytes, std::size_t peak) {
  return std::string("  ") + name + ": " + std::to_string(messages) + " messages, " +
         std::to_string(bytes) + " bytes, queue peak " + std::to_string(peak) + " bytes\n";
}

std::string latency_text(std::vector<double> latencies) {
  if (latencies.empty()) return "  no message came back\n";
  std::sort(latencies.begin(), latencies.end());
  return "  back after: median " + in_milliseconds(quantile(latencies, 0.5)) + ", 99 % " +
         in_milliseconds(quantile(latencies, 0.99)) + ", longest " +
         in_milliseconds(latencies.back()) + " (" + std::to_string(latencies.size()) + " times)\n";
}

}  // namespace

void TraceStatistics::add(const TraceRecord& record) {
  End& end = ends_[{record.pid, record.channel}];
  end.peer = record.peer;
  Way& way = record.out ? end.out : end.in;
  ++way.messages;
  way.bytes += record.size;
  way.queue_peak = std::max(way.queue_peak, record.queued);
  if (record.out) {
    if (!end.unanswered) end.unanswered = record.time;
  } else if (end.unanswered) {
    end.latencies.push_back(record.time - *end.unanswered);
    end.unanswered.reset();
  }
}

std::string TraceStatistics::text() const {
  std::string out;
  for (const auto& [key, end] : ends_) {
    out += "pid " + std::to_string(key.first) + ", channel " + std::to_string(key.second);
    if (end.peer) out += ", to pid " + std::to_string(*end.peer);
    out += "\n";
    out += way_text("out", end.out.messages, end.out.bytes, end.out.queue_peak);
    out += way_text("in", end.in.messages, end.in.bytes, end.in.queue_peak);
    out += latency_text(end.latencies);
  }
  return out;
}

}  // namespace tine::command
