#include "command/manual.hpp"

#include <array>
#include <vector>

#include "tine/version.hpp"

namespace tine::command {

namespace {

// Each string is a paragraph. A paragraph that begins with a blank is shown as it is.
struct Section {
  std::string_view title;
  std::vector<std::string_view> paragraphs;
};

struct Page {
  std::string_view command;
  std::vector<std::string_view> usage;
  std::vector<Section> sections;
};

Page tine_page() {
  return {
      "tine",
      {"tine run [OPTIONS] CHILD [ARG…]", "tine call [OPTIONS] CHILD METHOD [PARAMS] [-- ARG…]",
       "tine script [OPTIONS] FILE…", "tine trace [OPTIONS] -- CHILD [ARG…]",
       "tine trace [OPTIONS] FILE"},
      {{"Exit status",
        {"The child's, or 128 and the number of the signal that ended it (run, trace -- CHILD).",
         "0: the result is printed, 1: the answer is an error, 69: CHILD has ended or disconnected "
         "without an answer, 124: there was none --within its time, 128 and the number of the "
         "signal that came (call).",
         "0: all transcripts passed, 1: one has failed, 2: one cannot be read (script).",
         "65: PARAMS, or a line of stdin, is not JSON. 74: stdin cannot be read, or stdout not "
         "written. 126, 127: CHILD cannot be run, is not there. 141: whoever read stdout has gone. "
         "2: the command line is wrong."}},
       {"Environment",
        {"TINE_TRACE: a file to which each program that uses the library appends what passes its "
         "channels, a message a line of JSON.",
         "NO_COLOR: no colours, unless --color=always."}}}};
}

Page run_page() {
  return {
      "run",
      {"tine run [OPTIONS] CHILD [ARG…]"},
      {{"Talking to a child",
        {"CHILD is a path, never looked up in PATH. Each line of stdin is a message to it, blank "
         "lines are skipped; each message from it is a line of stdout. What it prints itself goes "
         "to stderr.",
         "The end of stdin disconnects CHILD once it has read all and is silent: its answers come "
         "before. One that thinks longer wants --wait or --linger. One that lives on for longer "
         "than --kill-after is stopped.",
         "A slow reader of stdout slows CHILD down, and a slow CHILD the writer of stdin.",
         "With --serialization advanced, a message is a value of JavaScript, and its line is the "
         "JSON that stands for it: {\"$date\": 0} is a Date. docs/advanced.md has them all."}},
       {"Signals",
        {"The first SIGINT, SIGTERM, SIGHUP or SIGQUIT is passed on to CHILD, which is killed if "
         "it does not end then; the second kills it at once. SIGTSTP stops both, SIGCONT lets "
         "them go on.",
         "At a terminal CHILD is in the same process group: it can read the terminal, and what is "
         "typed there, such as Ctrl-C, reaches it directly."}}}};
}

Page call_page() {
  return {
      "call",
      {"tine call [OPTIONS] CHILD METHOD [PARAMS] [-- ARG…]"},
      {{"Asking a child",
        {"Starts CHILD, makes one request in JSON-RPC 2.0, prints the result to stdout as a line "
         "of "
         "JSON, and ends CHILD: it is disconnected, and stopped if it lives on for longer than "
         "--kill-after.",
         "    tine call ./child add '{\"a\": 1, \"b\": 2}'\n    echo '[1, 2, 3]' | tine call "
         "child.js "
         "sum -",
         "Everything else goes to stderr: what CHILD prints, the values that it reports while it "
         "works, its other messages, and errors. Requests of CHILD are answered with an error "
         "(-32601), because there is no such method here.",
         "With --serialization advanced, PARAMS and result are the JSON that stands for values of "
         "JavaScript, as for `tine run`."}},
       {"Signals", {"A signal that ends `tine run` also cancels the request ($/cancelRequest)."}}}};
}

Page script_page() {
  return {
      "script",
      {"tine script [OPTIONS] FILE…"},
      {{"Transcripts",
        {"A transcript is a talk, line by line: docs/scripting.md has the whole grammar.",
         "    fork ./child\n    > \"Hello\"\n    < \"Hello to you too :)\"\n    disconnect\n    "
         "exit 0"}}}};
}

Page trace_page() {
  return {"trace",
          {"tine trace [OPTIONS] -- CHILD [ARG…]", "tine trace [OPTIONS] FILE"},
          {{"Traces",
            {"With -- CHILD, does what `tine run` does, and prints each message of the channel, in "
             "and "
             "out, internal ones too, as a line of JSON.",
             "With FILE, shows such a trace for people."}}}};
}

const std::array<Page, 5>& pages() {
  static const std::array<Page, 5> all{tine_page(), run_page(), call_page(), script_page(),
                                       trace_page()};
  return all;
}

const Page& page_of(const CLI::App& app) {
  for (const Page& page : pages()) {
    if (page.command == app.get_name()) return page;
  }
  return pages().front();
}

std::vector<const CLI::App*> commands_of(const CLI::App& app) { return app.get_subcommands({}); }

// Returns the options that are not positional.
std::vector<const CLI::Option*> options_of(const CLI::App& app) {
  return app.get_options([](const CLI::Option* option) { return option->nonpositional(); });
}

bool takes_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

std::string spelled(const CLI::Option& option) {
  std::string text;
  for (const std::string& name : option.get_snames()) text += (text.empty() ? "-" : ", -") + name;
  for (const std::string& name : option.get_lnames()) text += (text.empty() ? "--" : ", --") + name;
  if (takes_value(option)) text += " " + option.get_type_name();
  return text;
}

// --- man page

std::string roff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n')) {
      out += std::string("\\&") + c;
    } else {
      out += c;
    }
  }
  return out;
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

std::string roff(const Section& section, std::string_view heading) {
  std::string out = std::string(heading) + " " + roff(section.title) + "\n";
  for (const std::string_view paragraph : section.paragraphs) {
    const bool as_is = paragraph.starts_with(' ');
    out += ".PP\n" + std::string(as_is ? ".nf\n" : "") + roff(paragraph) + "\n" +
           (as_is ? ".fi\n" : "");
  }
  return out;
}

std::string roff_options(const CLI::App& app) {
  std::string out;
  for (const CLI::Option* const option : options_of(app)) {
    out += ".TP\n.B " + roff(spelled(*option)) + "\n" + roff(option->get_description()) + ".\n";
  }
  return out;
}

// --- completion

std::string words(const CLI::App& app) {
  std::string out;
  for (const CLI::App* const command : commands_of(app)) out += command->get_name() + " ";
  for (const CLI::Option* const option : options_of(app)) {
    for (const std::string& name : option->get_lnames()) out += "--" + name + " ";
  }
  out.pop_back();
  return out;
}

std::string bash_completion(const CLI::App& app) {
  std::string out =
      "_tine() {\n  local current=${COMP_WORDS[COMP_CWORD]} words\n  case ${COMP_WORDS[1]} in\n";
  for (const CLI::App* const command : commands_of(app)) {
    out += "    " + command->get_name() + ") words='" + words(*command) + "' ;;\n";
  }
  out += "    *) words='" + words(app) + "' ;;\n  esac\n";
  out += "  [ \"$COMP_CWORD\" -gt 1 ] || words='" + words(app) + "'\n";
  out += "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n}\n";
  return out + "complete -o default -F _tine tine\n";
}

// zsh can load bash's completion script.
std::string zsh_completion(const CLI::App& app) {
  return "#compdef tine\nautoload -U +X bashcompinit && bashcompinit\n" + bash_completion(app);
}

std::string fish_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text)
    out += c == '\'' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  return out + "'";
}

std::string fish_options(const CLI::App& app, const std::string& condition) {
  std::string out;
  for (const CLI::Option* const option : options_of(app)) {
    out += "complete -c tine -n '" + condition + "'";
    for (const std::string& name : option->get_snames()) out += " -s " + name;
    for (const std::string& name : option->get_lnames()) out += " -l " + name;
    if (takes_value(*option)) out += " -r";
    out += " -d " + fish_quoted(option->get_description()) + "\n";
  }
  return out;
}

std::string fish_completion(const CLI::App& app) {
  std::string out = fish_options(app, "__fish_use_subcommand");
  for (const CLI::App* const command : commands_of(app)) {
    out += "complete -c tine -n __fish_use_subcommand -a " + command->get_name() + " -d " +
           fish_quoted(command->get_description()) + "\n";
    out += fish_options(*command, "__fish_seen_subcommand_from " + command->get_name());
  }
  return out;
}

}  // namespace

std::string HelpFormatter::make_usage(const CLI::App* app, std::string) const {
  std::string out;
  for (const std::string_view usage : page_of(*app).usage) {
    out += (out.empty() ? "Usage: " : "       ") + std::string(usage) + "\n";
  }
  return out;
}

std::string HelpFormatter::make_footer(const CLI::App* app) const {
  std::string out;
  for (const Section& section : page_of(*app).sections) {
    out += (out.empty() ? "" : "\n") + std::string(section.title) + ":\n";
    for (const std::string_view paragraph : section.paragraphs) {
      out += (paragraph.starts_with(' ') ? "" : "  ") + std::string(paragraph) + "\n";
    }
  }
  return out;
}

std::string man_page(const CLI::App& app) {
  const Page& top = page_of(app);
  std::string out = ".TH TINE 1 \"\" \"tine " + std::string(version) + "\"\n";
  out += ".SH NAME\ntine \\- " + roff(summary) + "\n.SH SYNOPSIS\n";
  for (const std::string_view usage : top.usage) out += ".B " + roff(usage) + "\n.br\n";
  out += ".SH OPTIONS\n" + roff_options(app);
  for (const CLI::App* const command : commands_of(app)) {
    out += ".SH " + upper("tine " + command->get_name()) + "\n" + roff(command->get_description()) +
           ".\n";
    for (const Section& section : page_of(*command).sections) out += roff(section, ".SS");
    out += ".SS Options\n" + roff_options(*command);
  }
  for (Section section : top.sections) {
    const std::string title = upper(section.title);
    section.title = title;
    out += roff(section, ".SH");
  }
  return out;
}

std::string completion(const CLI::App& app, std::string_view shell) {
  if (shell == "fish") return fish_completion(app);
  return shell == "zsh" ? zsh_completion(app) : bash_completion(app);
}

}  // namespace tine::command
