#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <thread>

#include "tine/loop.hpp"

namespace tine::command {

// Reads a descriptor, be it a pipe, a terminal or a file, a piece each time it is asked to.
//
// A thread of its own may block; so the descriptor, which others may share, need not be made
// non-blocking. Asking for no more is what holds up whoever writes.
class ByteReader {
 public:
  // Called on the loop's thread, once for each more(). Empty: the end.
  using Came = std::function<void(std::string_view bytes)>;

  // Does not own `fd`.
  ByteReader(Loop& loop, int fd, Came came);
  ByteReader(const ByteReader&) = delete;
  ByteReader& operator=(const ByteReader&) = delete;
  // Nothing is called any more.
  ~ByteReader();

  // Not again before the call it asks for. Does not keep Loop::run() from returning.
  void more();

 private:
  class State;

  std::shared_ptr<State> state_;
  std::thread thread_;
};

}  // namespace tine::command
