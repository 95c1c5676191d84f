#include "command/call/params.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include <poll.h>
#include <unistd.h>

#include "command/shared/line_splitter.hpp"

namespace tine::command {

namespace {

// Returns the part of nlohmann's text that follows the class of the error and its place.
std::string_view reason_in(std::string_view what) {
  for (const std::string_view before : {" - ", "column ", "] "}) {
    const std::size_t at = what.find(before);
    if (at == what.npos) continue;
    what.remove_prefix(at + before.size());
    if (before == "column ") what.remove_prefix(std::min(what.find(": ") + 2, what.size()));
    break;
  }
  return what;
}

void report(std::string_view text, std::size_t offset, const char* source,
            std::string_view reason) {
  const std::string_view before = text.substr(0, offset);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t line_begin = before.rfind('\n') + 1;  // npos + 1 is 0
  std::fprintf(stderr, "tine: %s, line %td, column %zu: this is no JSON: %.*s\n", source, line,
               column_of(text.substr(line_begin), offset - line_begin),
               static_cast<int>(reason.size()), reason.data());
}

}  // namespace

std::string read_stdin() {
  constexpr std::size_t piece = 65536;
  std::string text;
  for (std::size_t size = 0;;) {
    text.resize(size + piece);
    const ssize_t n = read(STDIN_FILENO, text.data() + size, piece);
    if (n > 0) size += static_cast<std::size_t>(n);
    text.resize(size);
    if (n == 0) return text;
    if (n > 0 || errno == EINTR) continue;
    if (errno != EAGAIN) throw std::system_error(errno, std::generic_category(), "stdin");
    pollfd readable{STDIN_FILENO, POLLIN, 0};  // another process has made it non-blocking
    poll(&readable, 1, -1);
  }
}

bool parse_json(std::string_view text, const char* source, nlohmann::json& value) {
  using nlohmann::json;
  try {
    value = json::parse(text);
    return true;
  } catch (const json::parse_error& error) {
    const std::size_t offset = error.byte > 0 ? error.byte - 1 : 0;
    report(text, std::min(offset, text.size()), source, reason_in(error.what()));
  } catch (const json::exception& error) {
    report(text, 0, source, reason_in(error.what()));
  }
  return false;
}

}  // namespace tine::command
