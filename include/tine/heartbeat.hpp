// Whether a child hangs.
#pragma once

#include <chrono>
#include <csignal>

namespace tine {

// Whether a child hangs. Off by default.
//
// A child that is ready, and from which nothing has come for `every`, is asked by Rpc::ping(). Node,
// Bun and tine answer without a line of code there; Deno never does. If nothing at all comes within
// `deadline`, the child hangs. Time in which this process itself did not turn its loop, because it was
// stopped or busy, does not count. Nothing is judged while the channel is paused or has ended.
//
// Node: none.
struct Heartbeat {
  std::chrono::milliseconds every = {};  // 0: no heartbeat
  std::chrono::milliseconds deadline = std::chrono::seconds(60);

  // Whether a child that uses its CPU counts as alive. One that computes for minutes looks like one
  // that loops for ever; one that waits for ever, or is stopped, uses none.
  bool busy = true;

  // What a child that hangs gets; SIGABRT makes a core dump. Five seconds later, it and all that it has
  // started get SIGKILL.
  int signal = SIGABRT;
};

}  // namespace tine
