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
  // Ctrl-C, Ctrl-Z, a hangup: the terminal sends it to all of the process group. Else it is from somebody
  // who may have sent it to us alone.
  bool from_terminal;
};

// Tells of SIGINT, SIGTERM, SIGHUP, SIGQUIT, and others that are asked for, on a loop. One object a
// process, made before other threads, which would get the signals else.
//
// SIGHUP and SIGTSTP are left ignored if they are: nohup, and shells without job control, count on it.
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
