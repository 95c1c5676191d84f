#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "command/run/silence.hpp"
#include "command/shared/line_splitter.hpp"
#include "tine/child_process.hpp"
#include "tine/loop.hpp"
#include "tine/stream.hpp"

namespace tine::command {

// The lines of stdin on their way to the child: each is a message. While the channel is full, stdin
// is not read.
//
// A line that cannot be sent is reported on stderr. It ends the input, unless `keep_going` is set.
class Input {
 public:
  // Called once, when no more lines will be sent: with status::ok at the end of stdin, or with
  // another status if stdin could not be read, or not all of it be sent.
  using Ended = std::function<void(int status)>;

  Input(Loop& loop, bool keep_going, Silence& silence, Ended ended);
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  void start(ChildProcess child);
  // Ends the input, without calling `ended`.
  void stop();

  // To be called for the child's "drain" and "error". Returns whether the error is the refusal of a
  // line, which is reported then.
  void on_drain();
  bool on_error(const Error& error);

 private:
  // at_eof: all lines have been read.
  enum class State { open, at_eof, ended };

  void send_lines();
  bool send_line();
  void bad_line(std::size_t column, std::string_view reason);
  void end(int status);

  Stream stdin_;
  bool keep_going_;
  Silence& silence_;
  Ended ended_;
  ChildProcess child_;

  LineSplitter lines_;
  std::string_view line_;  // the line sent last
  State state_ = State::open;
  // send() returned false: "drain" or an error will follow.
  bool held_ = false;
};

}  // namespace tine::command
