#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "command/shared/child_options.hpp"
#include "tine/child_process.hpp"
#include "tine/loop.hpp"
#include "tine/signal.hpp"

namespace tine::command {

struct JobOptions {
  ChildOptions child;
  std::string stdout_file;  // empty: the child's stdout goes to our stderr
  std::chrono::milliseconds kill_after{5000};
};

// A child as a part of the job that the user's shell sees: it gets the signals that end or stop this
// process, and does not outlive it.
class ChildJob {
 public:
  // `signalled` is called for each signal that is to end this process, before the child gets it.
  ChildJob(
      Loop& loop, const JobOptions& options, std::function<void()> signalled = [] {});
  ChildJob(const ChildJob&) = delete;
  ChildJob& operator=(const ChildJob&) = delete;

  // Forks the child. To be called once.
  ChildProcess start();

  // Stops the child, and says so on stderr, if it still runs JobOptions::kill_after from now. To be
  // called when it is disconnected.
  void stop_later();
  // Kills the child if it still runs then.
  void kill_later(std::chrono::milliseconds delay);

  // How many signals that end this process have come, and the first one.
  int signals() const { return signals_; }
  int first_signal() const { return first_signal_; }

 private:
  void listen_for_stop();
  void end(const Signal& signal);
  void stop_both(const Signal& signal);

  Loop& loop_;
  const JobOptions& options_;
  std::function<void()> signalled_;
  ChildProcess child_;
  SignalListener stop_signal_;
  int signals_ = 0;
  int first_signal_ = 0;
};

// Returns the exit status that says why a child could not be started.
int start_status(const Error& error);

}  // namespace tine::command
