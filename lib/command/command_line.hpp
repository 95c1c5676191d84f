#pragma once

#include <memory>
#include <string>
#include <vector>

#include "command/run.hpp"
#include "command/script.hpp"
#include "command/trace.hpp"

namespace CLI {
class App;
}

namespace tine::command {

enum class Command { none, run, script, trace };

struct CommandLine {
  Command command = Command::none;
  RunOptions run;
  ScriptOptions script;
  TraceOptions trace;
  bool man_page = false;
  std::string completion;  // the shell
};

// The options of `tine`, which are to be parsed into `line`. Help, man page and completion are made
// from this.
std::unique_ptr<CLI::App> make_app(CommandLine& line);

// Parses what follows the name of the program. Throws CLI::ParseError, for CLI::App::exit().
void parse(CLI::App& app, CommandLine& line, std::vector<std::string> args);

}  // namespace tine::command
