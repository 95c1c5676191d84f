#include "command/shared/json_print.hpp"

#include <cstdlib>

#include <unistd.h>

#include <nlohmann/json.hpp>

namespace tine::command {

namespace {

using Json = nlohmann::ordered_json;

class Printer {
 public:
  explicit Printer(const PrintStyle& style) : style_(style) {}

  std::string take() { return std::move(out_); }

  void print(const Json& value) {
    switch (value.type()) {
      case Json::value_t::object: return print_items(value, '{', '}');
      case Json::value_t::array: return print_items(value, '[', ']');
      case Json::value_t::string: return colored("32", text(value));
      case Json::value_t::boolean:
      case Json::value_t::null: return colored("35", text(value));
      default: return colored("36", text(value));
    }
  }

 private:
  static std::string text(const Json& value) {
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
  }

  void colored(const char* color, const std::string& text) {
    out_ += style_.color ? "\x1b[" + std::string(color) + "m" + text + "\x1b[0m" : text;
  }

  void print_items(const Json& value, char open, char close) {
    out_ += open;
    ++depth_;
    bool first = true;
    for (const auto& [key, item] : value.items()) {
      if (!std::exchange(first, false)) out_ += ',';
      new_line();
      if (value.is_object()) {
        colored("34", text(key));
        out_ += style_.pretty ? ": " : ":";
      }
      print(item);
    }
    --depth_;
    if (!first) new_line();
    out_ += close;
  }

  void new_line() {
    constexpr std::size_t indent = 2;
    if (style_.pretty) out_ += '\n' + std::string(indent * depth_, ' ');
  }

  const PrintStyle& style_;
  std::string out_;
  std::size_t depth_ = 0;
};

}  // namespace

std::string print_json(const Json& value, const PrintStyle& style) {
  Printer printer(style);
  printer.print(value);
  return printer.take();
}

bool use_color(std::string_view when, int fd) {
  if (when != "auto") return when == "always";
  const char* const terminal = std::getenv("TERM");
  return isatty(fd) == 1 && std::getenv("NO_COLOR") == nullptr && terminal != nullptr &&
         std::string_view(terminal) != "dumb";
}

}  // namespace tine::command
