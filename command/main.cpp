// The command `tine`. It uses the library as any other program does.
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "command/command_line.hpp"
#include "command/manual.hpp"
#include "command/shared/status.hpp"

namespace {

using namespace tine::command;

int print(const std::string& text) {
  return std::fputs(text.c_str(), stdout) < 0 ? status::io_error : status::ok;
}

int run_command(const CLI::App& app, const CommandLine& line) {
  if (line.man_page) return print(man_page(app));
  if (!line.completion.empty()) return print(completion(app, line.completion));
  switch (line.command) {
    case Command::run: return run(line.run);
    case Command::call: return call(line.call);
    case Command::script: return script(line.script);
    case Command::trace:
      return line.trace.file.empty() ? trace_child(line.trace) : show_trace(line.trace);
    case Command::none: break;
  }
  std::fputs(app.help().c_str(), stderr);
  return status::unreadable;
}

}  // namespace

int main(int argc, char** argv) {
  CommandLine line;
  const auto app = make_app(line);
  try {
    parse(*app, line, {argv + 1, argv + argc});
  } catch (const CLI::ParseError& error) {
    return app->exit(error) == 0 ? status::ok : status::unreadable;
  }
  try {
    return run_command(*app, line);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "tine: %s\n", error.what());
    return status::failed;
  }
}
