#pragma once

#include <functional>

#include "tine/loop.hpp"
#include "tine/signal.hpp"

namespace tine::command {

// Whether this process ignores the signal, and is to go on ignoring it: nohup, and shells without
// job control, rely on that.
bool is_ignored(int signal);

// Calls a function for each SIGINT, SIGTERM and SIGQUIT, and for each SIGHUP that is not ignored.
void on_ending_signals(Loop& loop, const std::function<void(const Signal&)>& came);

}  // namespace tine::command
