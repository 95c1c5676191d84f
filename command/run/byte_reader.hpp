#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <thread>

#include "tine/loop.hpp"

namespace tine::command {

// A reader of a descriptor (a pipe, a terminal or a file): one piece for each more().
//
// It reads on a thread of its own, which may block: so the descriptor, which other processes may
// share, need not be made non-blocking. Without more() the writer is held up.
class ByteReader {
 public:
  // Called on the loop's thread, once for each more(). Empty: EOF, or reading failed.
  using Came = std::function<void(std::string_view bytes)>;

  // Does not own `fd`.
  ByteReader(Loop& loop, int fd, Came came);
  ByteReader(const ByteReader&) = delete;
  ByteReader& operator=(const ByteReader&) = delete;
  // Ends the thread. `came` is not called afterwards.
  ~ByteReader();

  // Requests the next piece. Must not be called again before `came` has been called for it. Does
  // not keep Loop::run() from returning.
  void more();

 private:
  class State;

  std::shared_ptr<State> state_;
  std::thread thread_;
};

}  // namespace tine::command
