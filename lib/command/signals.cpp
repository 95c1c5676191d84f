#include "command/signals.hpp"

#include <utility>

namespace tine::command {

namespace {

bool ignored(int signal) {
  struct sigaction action {};
  return sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

// They are blocked everywhere and waited for in a thread: a handler may do nearly nothing.
Signals::Signals(Loop& loop, std::function<void(int signal)> came,
                 std::initializer_list<int> others)
    : came_(std::move(came)) {
  sigemptyset(&set_);
  for (const int signal : {SIGINT, SIGTERM, SIGQUIT}) sigaddset(&set_, signal);
  if (!ignored(SIGHUP)) sigaddset(&set_, SIGHUP);
  for (const int signal : others) {
    if (!ignored(signal)) sigaddset(&set_, signal);
  }
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
