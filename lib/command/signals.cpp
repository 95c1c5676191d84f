#include "command/signals.hpp"

#include <utility>

namespace tine::command {

// They are blocked everywhere and waited for in a thread: a handler may do nearly nothing.
Signals::Signals(Loop& loop, std::function<void(int signal)> came) : came_(std::move(came)) {
  sigemptyset(&set_);
  sigaddset(&set_, SIGINT);
  sigaddset(&set_, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  thread_ = std::thread([this, &loop] { run(loop); });
}

Signals::~Signals() {
  ending_ = true;
  pthread_kill(thread_.native_handle(), SIGTERM);
  thread_.join();
}

void Signals::run(Loop& loop) {
  int signal = 0;
  while (sigwait(&set_, &signal) == 0 && !ending_) {
    loop.post([came = came_, signal] { came(signal); });
  }
}

}  // namespace tine::command
