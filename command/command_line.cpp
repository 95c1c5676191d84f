#include "command/command_line.hpp"

#include <algorithm>

#include <CLI/CLI.hpp>

#include "command/manual.hpp"
#include "tine/version.hpp"

namespace tine::command {

namespace {

using std::chrono::milliseconds;

CLI::Option* add_duration(CLI::App& app, const std::string& name, const std::string& description,
                          const std::function<void(milliseconds)>& set) {
  const auto parse = [set](const std::int64_t& value) { set(milliseconds(value)); };
  return app.add_option_function<std::int64_t>(name, parse, description)
      ->type_name("MS")
      ->check(CLI::NonNegativeNumber);
}

void add_color(CLI::App& app, std::string& color) {
  app.add_option("--color", color, "Colours: auto when a terminal is looking, always, or never")
      ->type_name("WHEN")
      ->check(CLI::IsMember({"auto", "always", "never"}));
}

// The options of a command that talks to a child.
void add_job_options(CLI::App& app, JobOptions& job) {
  app.add_option("--exec-path", job.child.exec_path,
                 "Program that runs CHILD; node for a CHILD that ends in .js, .mjs or .cjs")
      ->type_name("PATH");
  app.add_option("--exec-arg", job.child.exec_args, "Argument for that program; may be repeated")
      ->type_name("ARG")
      ->allow_extra_args(false);
  app.add_option("--cwd", job.child.cwd, "Directory to start CHILD in")->type_name("DIR");
  app.add_option("--env", job.child.env,
                 "Variable to set for CHILD, or, without '=', to remove; may be repeated")
      ->type_name("NAME[=VALUE]")
      ->allow_extra_args(false);
  app.add_option_function<std::string>(
         "--serialization",
         [&job](const std::string& name) { job.child.serialization = *serialization_named(name); },
         "How messages are written on the channel: json, or advanced, as Node's option of this "
         "name")
      ->type_name("MODE")
      ->check(CLI::IsMember({"json", "advanced"}));
  app.add_option("--stdout", job.stdout_file, "Where CHILD's stdout goes, instead of stderr")
      ->type_name("FILE");
  add_duration(app, "--kill-after",
               "How long CHILD may live on after it was disconnected, or sent a signal: 5000",
               [&job](milliseconds time) { job.kill_after = time; });
}

// The options of `tine run`, which `tine trace -- CHILD` has too.
void add_run_options(CLI::App& app, RunOptions& run) {
  add_job_options(app, run.job);
  app.add_flag("--wait", run.wait, "At the end of stdin, wait until CHILD ends by itself");
  add_duration(app, "--linger",
               "At the end of stdin, how long CHILD must be silent to be disconnected: 100 if each "
               "message had one back, 5000 if not",
               [&run](milliseconds time) { run.linger = time; });
  app.add_flag("--keep-going", run.keep_going, "Go on after a line of stdin that is not JSON");
  app.add_flag("--pretty", run.pretty, "Messages over several lines, indented");
}

void add_run(CLI::App& app, CommandLine& line) {
  CLI::App& run =
      *app.add_subcommand("run", "Talk to a child: lines of stdin to it, its messages to stdout");
  add_run_options(run, line.run);
  add_color(run, line.run.color);
  run.prefix_command();  // everything after CHILD belongs to the child, options too
}

void add_call(CLI::App& app, CommandLine& line) {
  CallOptions& options = line.call;
  CLI::App& call = *app.add_subcommand("call", "Make one request to a child, and print the result");
  call.add_option("CHILD", options.job.child.child, "The child, as that of `tine run`")
      ->required()
      ->type_name("");
  call.add_option("METHOD", options.method, "The method to call")->required()->type_name("");
  call.add_option_function<std::string>(
          "PARAMS", [&options](const std::string& text) { options.params = text; },
          "Its params as JSON, or -: stdin has them")
      ->type_name("");
  add_job_options(call, options.job);
  add_duration(call, "--within", "How long to wait for the answer; without it, until CHILD ends",
               [&options](milliseconds time) { options.within = time; });
  call.add_flag("--notify", options.notify, "Send a notification, which is not answered");
  call.add_flag("-r,--raw", options.raw, "If the result is a string, print it without quotes");
  call.add_flag("--pretty", options.pretty, "The result over several lines, indented");
  add_color(call, options.color);
}

void add_script(CLI::App& app, CommandLine& line) {
  ScriptOptions& options = line.script;
  CLI::App& script = *app.add_subcommand("script", "Run transcripts as tests");
  script.add_option("FILE", options.files, "Transcripts");
  script
      .add_option_function<std::vector<std::string>>(
          "-D,--define",
          [&options](const std::vector<std::string>& definitions) {
            for (const std::string& definition : definitions) {
              const auto equals = definition.find('=');
              if (equals == std::string::npos)
                throw CLI::ValidationError("--define", "no '=' in " + definition);
              options.variables[definition.substr(0, equals)] = definition.substr(equals + 1);
            }
          },
          "What ${NAME} stands for in the transcripts, over the environment; may be repeated")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  script.add_option("--format", options.format, "Of the report: people, tap or junit")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"people", "tap", "junit"}));
  script.add_option("-o,--output", options.output, "Where the report goes, instead of stdout")
      ->type_name("FILE");
  script.add_option("-j,--jobs", options.jobs, "How many transcripts run at a time")
      ->type_name("N")
      ->check(CLI::PositiveNumber);
  script.add_flag("--update", options.update,
                  "Rewrite the expectations that are not met from what came");
  add_color(script, options.color);
}

void add_trace(CLI::App& app, CommandLine& line) {
  TraceOptions& options = line.trace;
  CLI::App& trace = *app.add_subcommand("trace", "Trace a child's channel, or show a trace");
  trace.add_option("FILE", options.file, "A trace to show, written with TINE_TRACE=FILE");
  trace
      .add_option("--direction", options.direction,
                  "Of FILE, only messages that came in, or went out")
      ->type_name("in|out")
      ->check(CLI::IsMember({"in", "out"}));
  trace.add_option("--pid", options.pid, "Of FILE, only the messages of this process")
      ->type_name("PID");
  trace.add_flag("--no-internal", options.no_internal,
                 "Of FILE, not the messages of the channel itself");
  trace.add_option("--grep", options.grep, "Of FILE, only messages that contain TEXT")
      ->type_name("TEXT");
  trace
      .add_option("--min-size", options.min_size, "Of FILE, only messages of so many bytes or more")
      ->type_name("BYTES");
  trace.add_flag("--statistics", options.statistics,
                 "Of FILE, counts, bytes, latencies and queue peaks instead of the messages");
  trace
      .add_option("-o,--output", options.output,
                  "Where the trace of CHILD goes; without it, to stdout in place of the messages")
      ->type_name("FILE");
  add_run_options(trace, options.run);
  add_color(trace, options.run.color);
}

// Takes CHILD and its arguments: the words that CLI11 did not parse, then those after "--".
void take_child(ChildOptions& child, std::vector<std::string> words,
                std::vector<std::string> behind, bool marked) {
  if (!words.empty() && words.front().starts_with('-')) {
    throw CLI::ExtrasError({words.front()});
  }
  if (!words.empty() && marked) words.emplace_back("--");
  words.insert(words.end(), behind.begin(), behind.end());
  if (words.empty()) throw CLI::RequiredError("CHILD");
  child.child = words.front();
  child.args.assign(words.begin() + 1, words.end());
}

}  // namespace

std::unique_ptr<CLI::App> make_app(CommandLine& line) {
  auto app = std::make_unique<CLI::App>(summary, "tine");
  app->formatter(std::make_shared<HelpFormatter>());
  app->set_version_flag("--version", "tine " + std::string(version));
  app->add_option("--completion", line.completion, "Print what makes this shell complete `tine`")
      ->type_name("SHELL")
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  app->add_flag("--man-page", line.man_page, "Print the man page");
  app->require_subcommand(0, 1);
  add_run(*app, line);
  add_call(*app, line);
  add_script(*app, line);
  add_trace(*app, line);
  return app;
}

void parse(CLI::App& app, CommandLine& line, std::vector<std::string> args) {
  const auto mark = std::find(args.begin(), args.end(), "--");
  const bool marked = mark != args.end();
  const std::vector<std::string> behind(marked ? mark + 1 : mark, args.end());
  args.erase(mark, args.end());
  std::reverse(args.begin(), args.end());
  app.parse(args);
  if (app.got_subcommand("run")) {
    line.command = Command::run;
    take_child(line.run.job.child, app.get_subcommand("run")->remaining(), behind, marked);
  } else if (app.got_subcommand("call")) {
    line.command = Command::call;
    line.call.job.child.args = behind;
  } else if (app.got_subcommand("script")) {
    line.command = Command::script;
    line.script.files.insert(line.script.files.end(), behind.begin(), behind.end());
    if (line.script.files.empty()) throw CLI::RequiredError("FILE");
  } else if (app.got_subcommand("trace")) {
    line.command = Command::trace;
    if (marked) return take_child(line.trace.run.job.child, {}, behind, marked);
    if (line.trace.file.empty()) throw CLI::RequiredError("FILE, or -- CHILD,");
  }
}

}  // namespace tine::command
