#include "command/shared/signals.hpp"

#include <csignal>

namespace tine::command {

bool is_ignored(int signal) {
  struct sigaction action {};
  return sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

void on_ending_signals(Loop& loop, const std::function<void(const Signal&)>& came) {
  for (const int signal : {SIGINT, SIGTERM, SIGQUIT}) on_signal(loop, signal, came);
  if (!is_ignored(SIGHUP)) on_signal(loop, SIGHUP, came);
}

}  // namespace tine::command
