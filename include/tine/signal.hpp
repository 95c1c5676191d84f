// Signals as events of a loop.
#pragma once

#include <memory>

#include "tine/callback.hpp"
#include "tine/detail/export.hpp"

namespace tine::uv {
class SignalState;
}

namespace tine {

class Loop;

// A signal that this process has received.
struct Signal {
  int number;
  // Whether the kernel sent the signal. The kernel sends Ctrl-C and Ctrl-Z to the whole process
  // group of the terminal, children included. A process may have sent the signal to this process
  // alone. macOS: always false.
  bool from_kernel;
};

// A listener for a signal. A handle: copy or drop it, and the listener stays.
class TINE_EXPORT SignalListener {
 public:
  SignalListener() = default;

  // False for an empty handle.
  explicit operator bool() const { return state_ != nullptr; }

  // Removes the listener and destroys its captures. The listener is not called for signals that
  // have come already.
  void cancel() const;

  // Sets whether the listener keeps Loop::run() from returning. It does not until ref().
  void ref() const;
  void unref() const;

 private:
  friend class uv::SignalState;
  explicit SignalListener(std::shared_ptr<uv::SignalState> state);

  std::shared_ptr<uv::SignalState> state_;
};

// Calls `listener` each time this process receives the signal. The signal no longer does what it
// does by default. The listener takes a `const Signal&`, or nothing.
//
// The listener runs on the loop's thread like a listener for an event, never inside the signal
// handler: it may do anything, and Loop::run() throws what it throws. It is called once for each
// signal, but the system itself combines equal signals that it has not delivered yet.
//
// Process-wide: a signal reaches all its listeners, also those on the loops of other threads. While
// it has listeners, the program's own handler for it is not called; a uv_signal_t, also one on a
// borrowed loop, is such a handler. After the last listener is cancelled, or its loop is destroyed,
// the signal does again what it did before the first one was added. A listener is called even if
// the signal was ignored before, as SIGHUP is under nohup. Children start with default signals.
//
// Throws Error: Errc::unknown_signal. Errc::invalid_argument for SIGKILL and SIGSTOP, which no
// program can catch; for SIGCHLD, by which libuv notices the end of children; and for SIGSEGV,
// SIGBUS, SIGFPE and SIGILL, because a program that goes on after a fault only repeats it.
//
// Node: process.on(). Unlike tine, Node sets a signal back to its default after the last listener.
TINE_EXPORT SignalListener on_signal(Loop& loop, int signal,
                                     Callback<void(const Signal&)> listener);

// Does the same for the next signal only. The listener is removed just before its call, so that a
// second Ctrl-C ends the program, unless SIGINT has other listeners.
//
// Node: process.once().
TINE_EXPORT SignalListener once_signal(Loop& loop, int signal,
                                       Callback<void(const Signal&)> listener);

}  // namespace tine
