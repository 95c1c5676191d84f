#pragma once

#include <csignal>

// Sets the action of a signal while this object lives. System calls that the signal interrupts fail
// with EINTR.
class SignalAction {
 public:
  SignalAction(int signal, void (*handler)(int)) : signal_(signal) {
    struct sigaction action {};  // without SA_RESTART
    action.sa_handler = handler;
    sigaction(signal, &action, &before_);
  }
  SignalAction(const SignalAction&) = delete;
  SignalAction& operator=(const SignalAction&) = delete;
  ~SignalAction() { sigaction(signal_, &before_, nullptr); }

 private:
  int signal_;
  struct sigaction before_ {};
};
