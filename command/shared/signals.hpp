#pragma once

#include <atomic>
#include <csignal>
#include <functional>
#include <initializer_list>
#include <thread>

#include "tine/loop.hpp"

namespace tine::command {

struct Signal {
  int number;
  // Ctrl-C, Ctrl-Z or a hangup, which the terminal sends to the whole process group. Any other
  // sender may have sent the signal to this process alone. macOS: always false.
  bool from_terminal;
};

// A thread that waits for SIGINT, SIGTERM, SIGHUP, SIGQUIT and `others`, and calls a function on
// the loop's thread for each. Make one object per process, before other threads: otherwise those
// would get the signals.
//
// SIGHUP and `others` stay ignored if they already are: nohup, and shells without job control, rely
// on that.
class Signals {
 public:
  Signals(Loop& loop, std::function<void(Signal)> came, std::initializer_list<int> others = {});
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  ~Signals();

 private:
  void run(Loop& loop);

  std::function<void(Signal)> came_;
  sigset_t set_{};
  std::atomic<bool> ending_ = false;
  std::thread thread_;
};

}  // namespace tine::command
