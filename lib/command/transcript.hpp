#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "command/child_options.hpp"
#include "command/cursor.hpp"
#include "command/pattern.hpp"

namespace tine::command {

// One statement that does something, or expects something.
struct Step {
  enum class Kind {
    fork,
    send,
    receive,
    receive_any_order,  // those that follow each other, of one child, are one group
    expect_disconnect,
    expect_stdout,
    quiet,
    kill,
    disconnect,
    exit,
  };

  Kind kind = Kind::fork;
  std::string child = {};   // empty: the one without a name
  std::size_t line = 1;     // where it begins
  std::size_t lines = 1;    // how many it takes
  std::string source = {};  // as it is written, without the line feed behind it
  std::chrono::milliseconds deadline = {};

  Pattern pattern = {};                   // send, receive, receive_any_order, expect_stdout
  ChildOptions options = {};              // fork
  std::chrono::milliseconds quiet = {};   // quiet
  int signal = 0;                         // kill
  std::optional<ExitStatus> status = {};  // exit; none: any
};

struct Transcript {
  std::string text;
  std::vector<Step> steps;
  std::optional<std::chrono::milliseconds> deadline;  // for all steps together
};

// What ${NAME} stands for; nullopt: nothing.
using Variables = std::function<std::optional<std::string>(const std::string& name)>;

// Reads a transcript. Throws TranscriptError. Nothing of it is run; docs/scripting.md has the grammar.
Transcript parse_transcript(std::string text, const Variables& variables);

// "SIGTERM" of 15; the number, if it has no name here.
std::string signal_name(int signal);
std::optional<int> signal_number(std::string_view name);

}  // namespace tine::command
