#include "command/script/report.hpp"

#include <algorithm>
#include <cstdio>

#include <nlohmann/json.hpp>

namespace tine::command {

namespace {

bool passed(const ScriptResult& result) { return !result.failure && !result.unreadable; }

std::string place(const TranscriptError& error) {
  return std::to_string(error.position.line) + ":" + std::to_string(error.position.column);
}

std::string indented(const std::string& text, const std::string& indent) {
  std::string out = indent;
  for (const char c : text) {
    out += c;
    if (c == '\n') out += indent;
  }
  return out + "\n";
}

class Colors {
 public:
  explicit Colors(bool on) : on_(on) {}
  std::string operator()(const char* color, const std::string& text) const {
    return on_ ? "\x1b[" + std::string(color) + "m" + text + "\x1b[0m" : text;
  }

 private:
  bool on_;
};

constexpr const char* red = "31";
constexpr const char* green = "32";
constexpr const char* dim = "2";

std::string details(const std::string& file, const Failure& failure, const Colors& colored) {
  std::string out = file + ":" + std::to_string(failure.line) + ": " + failure.step + "\n";
  out += "  expected:\n" + indented(failure.expected, "    ");
  out += "  came:\n" + indented(failure.came, "    ");
  if (!failure.diff.empty()) out += "  difference:\n";
  for (const std::string& line : failure.diff) {
    const char* const color = line[0] == '-' ? red : line[0] == '+' ? green : dim;
    out += "    " + colored(color, line) + "\n";
  }
  if (!failure.last_messages.empty()) out += "  last messages:\n";
  for (const std::string& line : failure.last_messages) {
    out += "    " + colored(dim, line) + "\n";
  }
  return out;
}

std::string details(const ScriptResult& result, const Colors& colored) {
  if (result.failure) return details(result.file, *result.failure, colored);
  const TranscriptError& error = *result.unreadable;
  return result.file + ":" + place(error) + ": " + error.what() + "\n";
}

// Escapes a text for XML. Invalid UTF-8, and control characters other than line feed and tab,
// become U+FFFD.
std::string xml(const std::string& text) {
  using nlohmann::json;
  const std::string dumped = json(text).dump(-1, ' ', false, json::error_handler_t::replace);
  std::string out;
  for (const char c : json::parse(dumped).get<std::string>()) {
    switch (c) {
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '&': out += "&amp;"; break;
      case '"': out += "&quot;"; break;
      case '\n':
      case '\t': out += c; break;
      default: out += static_cast<unsigned char>(c) < 0x20 ? "\xef\xbf\xbd" : std::string(1, c);
    }
  }
  return out;
}

std::string seconds(std::chrono::milliseconds time) {
  char text[40];
  std::snprintf(text, sizeof(text), "%.3f", static_cast<double>(time.count()) / 1000);
  return text;
}

std::string junit_case(const ScriptResult& result) {
  std::string out = "    <testcase classname=\"tine\" name=\"" + xml(result.file) + "\" time=\"" +
                    seconds(result.time) + "\"";
  if (passed(result)) return out + "/>\n";
  const char* const kind = result.failure ? "failure" : "error";
  const std::string text = details(result, Colors(false));
  out += std::string(">\n      <") + kind + " message=\"" + xml(text.substr(0, text.find('\n'))) +
         "\">";
  return out + xml(text) + "</" + kind + ">\n    </testcase>\n";
}

}  // namespace

std::string report_for_people(const ScriptResult& result, bool color) {
  const Colors colored(color);
  const std::string time = " (" + std::to_string(result.time.count()) + " ms)\n";
  if (!passed(result)) {
    return colored(red, "FAILED  ") + result.file + time + details(result, colored);
  }
  return colored(green, result.updated ? "updated " : "passed  ") + result.file + time;
}

std::string report_as_tap(const ScriptResult& result, std::size_t number) {
  std::string out = passed(result) ? "ok " : "not ok ";
  out += std::to_string(number) + " - " + result.file + "\n";
  if (passed(result)) return out;
  std::string text = details(result, Colors(false));
  text.pop_back();
  return out + "  ---\n  message: |\n" + indented(text, "    ") + "  ...\n";
}

std::string report_as_junit(const std::vector<ScriptResult>& results) {
  const auto count = [&](auto&& counted) {
    return std::to_string(std::count_if(results.begin(), results.end(), counted));
  };
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
  out += "  <testsuite name=\"tine script\" tests=\"" + std::to_string(results.size()) + "\"";
  out += " failures=\"" + count([](const auto& result) { return result.failure.has_value(); });
  out += "\" errors=\"" + count([](const auto& result) { return result.unreadable.has_value(); });
  out += "\">\n";
  for (const ScriptResult& result : results) out += junit_case(result);
  return out + "  </testsuite>\n</testsuites>\n";
}

}  // namespace tine::command
