#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <thread>

#include "tine/loop.hpp"

namespace tine::command {

// Writes to a descriptor, be it a pipe, a terminal or a file, in the order of the calls.
//
// As ByteReader, it has a thread that may block. What is written in one turn of the loop goes out
// together.
class ByteWriter {
 public:
  struct Listeners {
    std::function<void()> drained;          // write() has returned false, and little is left
    std::function<void(int error)> failed;  // once; what is written from now on is dropped
    std::function<void()> finished;         // finish() was called, and all is written or dropped
  };

  // Does not own `fd`. Listeners run on the loop's thread.
  ByteWriter(Loop& loop, int fd, Listeners listeners);
  ByteWriter(const ByteWriter&) = delete;
  ByteWriter& operator=(const ByteWriter&) = delete;
  // Waits until a write that is under way has ended; nothing is called any more.
  ~ByteWriter();

  // False: taken, but hold the rest until drained().
  bool write(std::string_view bytes);

  // Keeps Loop::run() from returning until finished().
  void finish();

 private:
  class State;

  std::shared_ptr<State> state_;
  std::thread thread_;
};

}  // namespace tine::command
