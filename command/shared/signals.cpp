#include "command/shared/signals.hpp"

#include <utility>

namespace tine::command {

namespace {

bool ignored(int signal) {
  struct sigaction action {};
  return sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

// Waits for a signal. The number 0 means that the wait was interrupted.
Signal next(const sigset_t& set) {
#ifdef __APPLE__
  int signal = 0;
  return {sigwait(&set, &signal) == 0 ? signal : 0, false};
#else
  siginfo_t info{};
  const int signal = sigwaitinfo(&set, &info);
  return {signal < 0 ? 0 : signal, info.si_code == SI_KERNEL};
#endif
}

}  // namespace

// All threads block the signals, and one thread waits for them, because a signal handler may do
// nearly nothing.
Signals::Signals(Loop& loop, std::function<void(Signal)> came, std::initializer_list<int> others)
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
  for (;;) {
    const Signal signal = next(set_);
    if (ending_) return;
    if (signal.number > 0) loop.post([came = came_, signal] { came(signal); });
  }
}

}  // namespace tine::command
