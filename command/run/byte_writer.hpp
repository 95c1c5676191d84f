#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <thread>

#include "tine/loop.hpp"

namespace tine::command {

// A writer to a descriptor (a pipe, a terminal or a file), in the order of the calls.
//
// Like ByteReader, it has a thread that may block. Bytes written in one turn of the loop go out
// together.
class ByteWriter {
 public:
  struct Listeners {
    std::function<void()> drained;          // after write() returned false: little is left
    std::function<void(int error)> failed;  // once; all later bytes are dropped
    std::function<void()> finished;         // after finish(): all bytes are written or dropped
  };

  // Does not own `fd`. Listeners run on the loop's thread.
  ByteWriter(Loop& loop, int fd, Listeners listeners);
  ByteWriter(const ByteWriter&) = delete;
  ByteWriter& operator=(const ByteWriter&) = delete;
  // Waits for the write in progress, if any. No listener is called afterwards.
  ~ByteWriter();

  // Queues the bytes. Returns false if the caller should write no more until drained().
  bool write(std::string_view bytes);

  // Asks for finished(), and keeps Loop::run() from returning until then.
  void finish();

 private:
  class State;

  std::shared_ptr<State> state_;
  std::thread thread_;
};

}  // namespace tine::command
