#pragma once

#include <atomic>
#include <csignal>
#include <functional>
#include <thread>

#include "tine/loop.hpp"

namespace tine::command {

// Tells of SIGINT and SIGTERM on a loop. One object a process, made before other threads, which would
// get the signals else.
class Signals {
 public:
  Signals(Loop& loop, std::function<void(int signal)> came);
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  ~Signals();

 private:
  void run(Loop& loop);

  std::function<void(int signal)> came_;
  sigset_t set_{};
  std::atomic<bool> ending_ = false;
  std::thread thread_;
};

}  // namespace tine::command
