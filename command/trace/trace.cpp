#include "command/trace/trace.hpp"

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "command/shared/json_print.hpp"
#include "command/shared/status.hpp"
#include "command/trace/trace_record.hpp"
#include "command/trace/trace_statistics.hpp"

namespace tine::command {

namespace {

bool wanted(const TraceRecord& record, const TraceOptions& options) {
  if (!options.direction.empty() && record.out != (options.direction == "out")) return false;
  if (options.pid && record.pid != *options.pid) return false;
  if (options.no_internal && record.internal) return false;
  return record.size >= options.min_size && record.message.find(options.grep) != std::string::npos;
}

std::string clock_time(double time) {
  const auto seconds = static_cast<std::time_t>(time);
  std::tm parts{};
  localtime_r(&seconds, &parts);
  char text[40];
  const auto micros = static_cast<int>((time - static_cast<double>(seconds)) * 1e6);
  std::snprintf(text, sizeof(text), "%02d:%02d:%02d.%06d", parts.tm_hour, parts.tm_min,
                parts.tm_sec, micros);
  return text;
}

std::string people(const TraceRecord& record, const PrintStyle& style) {
  std::string line = clock_time(record.time) + "  " + std::to_string(record.pid);
  line += record.out ? " -> " : " <- ";
  line += record.peer ? std::to_string(*record.peer) : "?";
  line += "  " + std::to_string(record.size) + " B  ";
  if (record.internal) line += "internal  ";
  if (record.bad) return line + "bad: " + record.message;
  const auto value = nlohmann::ordered_json::parse(record.message, nullptr, false);
  return line + (value.is_discarded() ? record.message : print_json(value, style));
}

}  // namespace

int show_trace(const TraceOptions& options) {
  std::ifstream file(options.file);
  if (!file) throw std::system_error(errno, std::generic_category(), options.file);
  const PrintStyle style{options.run.pretty, use_color(options.run.color, STDOUT_FILENO)};
  TraceStatistics statistics;
  std::size_t number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    const auto record = read_trace_record(line);
    if (!record) {
      std::fprintf(stderr, "tine: %s:%zu: this line is no record of a trace\n",
                   options.file.c_str(), number);
      return status::unreadable;
    }
    if (!wanted(*record, options)) continue;
    statistics.add(*record);
    if (!options.statistics && std::puts(people(*record, style).c_str()) < 0)
      return status::closed_output;
  }
  if (options.statistics) std::fputs(statistics.text().c_str(), stdout);
  return std::fflush(stdout) == 0 ? status::ok : status::closed_output;
}

int trace_child(TraceOptions options) {
  if (options.output.empty()) {
    options.output = "/dev/fd/" + std::to_string(STDOUT_FILENO);
    options.run.quiet = true;
  }
  setenv("TINE_TRACE", options.output.c_str(), 1);
  // Removes TINE_TRACE from the child's environment: its end would record the same messages again.
  options.run.job.child.env.insert(options.run.job.child.env.begin(), "TINE_TRACE");
  return run(options.run);
}

}  // namespace tine::command
