#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "tine/loop.hpp"
#include "tine/stream.hpp"

namespace tine::command {

// The text on its way to stdout. Bytes that are written in one turn of the loop go out
// together, so that many short lines cost few system calls.
class Output {
 public:
  struct Listeners {
    std::function<void()> full;                // stdout is slow: the caller should write no more
    std::function<void()> drained;             // after full(): little is left to be written
    std::function<void(const Error&)> failed;  // once; all bytes are dropped from then on
  };

  // An empty stream drops all bytes.
  Output(Loop& loop, Stream stream, Listeners listeners);
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  void write(std::string_view bytes);

  // Whether full() was called, and drained() is still to come.
  bool full() const { return full_; }

 private:
  void flush();

  Loop& loop_;
  Stream stream_;
  Listeners listeners_;
  std::string gathered_;
  bool full_ = false;
};

// Returns the exit status that says why stdout failed, and reports the error on stderr. A reader that has
// gone is not reported: it may have seen enough.
int output_status(const Error& error);

}  // namespace tine::command
