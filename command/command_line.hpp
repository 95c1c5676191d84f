#pragma once

#include <memory>
#include <string>
#include <vector>

#include "command/call/call.hpp"
#include "command/run/run.hpp"
#include "command/script/script.hpp"
#include "command/trace/trace.hpp"

namespace CLI {
class App;
}

namespace tine::command {

enum class Command { none, run, call, script, trace };

struct CommandLine {
  Command command = Command::none;
  RunOptions run;
  CallOptions call;
  ScriptOptions script;
  TraceOptions trace;
  bool man_page = false;
  std::string completion;  // the shell to complete for, if any
};

// Returns the options of `tine`, which parse into `line`. Help, man page and completions are made
// from them.
std::unique_ptr<CLI::App> make_app(CommandLine& line);

// Parses the arguments after the program's name. Throws CLI::ParseError, for CLI::App::exit().
void parse(CLI::App& app, CommandLine& line, std::vector<std::string> args);

}  // namespace tine::command
