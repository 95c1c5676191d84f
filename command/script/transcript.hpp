#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "command/script/cursor.hpp"
#include "command/script/pattern.hpp"
#include "command/shared/child_options.hpp"

namespace tine::command {

// A statement that does something or expects something.
struct Step {
  enum class Kind {
    fork,
    send,
    call,
    cancel,
    receive,
    receive_any_order,  // successive ones of the same child are a group
    expect_disconnect,
    expect_stdout,
    expect_progress,  // these three are about the last `call` to the child
    expect_result,
    expect_error,
    quiet,
    kill,
    disconnect,
    exit,
  };

  Kind kind = Kind::fork;
  std::string child = {};   // empty: the child without a name
  std::size_t line = 1;     // the first line
  std::size_t begin = 0;    // the place in the text, without the last line feed
  std::size_t end = 0;      // behind it
  bool joined = false;      // whether the step before is in the same statement
  std::string source = {};  // the whole statement as written, without the last line feed
  std::chrono::milliseconds deadline = {};

  // send, receive, receive_any_order, expect_…; call: the params, or `any` if there are none
  Pattern pattern = {};
  std::string method = {};                // call
  ChildOptions options = {};              // fork
  std::chrono::milliseconds quiet = {};   // quiet
  int signal = 0;                         // kill
  std::optional<ExitStatus> status = {};  // exit; nullopt: any
};

struct Transcript {
  std::string text;
  std::vector<Step> steps;
  std::optional<std::chrono::milliseconds> deadline;  // for all steps together
};

// Returns the value of ${NAME}; nullopt if there is none.
using Variables = std::function<std::optional<std::string>(const std::string& name)>;

// Parses a transcript; runs nothing. Throws TranscriptError. docs/scripting.md has the grammar.
Transcript parse_transcript(std::string text, const Variables& variables);

// Returns the name of a signal: "SIGTERM" for 15. A signal without a name, as the real-time signals
// are, is called by its number: "SIG35".
std::string signal_name(int signal);
std::optional<int> signal_number(std::string_view name);

}  // namespace tine::command
