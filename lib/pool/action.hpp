#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace tine::pool {

using TaskId = std::uint64_t;    // counts from 1; 0: none
using WorkerId = std::uint64_t;  // counts from 1; 0: none

// What the owner of a Scheduler has to do next.
struct Action {
  enum class Kind {
    start_worker,      // `worker` is its name from now on
    run,               // give `task` to `worker`
    cancel_at_worker,  // tell `worker` that nobody wants the answer for `task` any more
    settle,            // `task` fails, because of `why`; for worker_died, `worker` is the one
    stop_worker,       // `worker` has no task, and is not needed any more
    kill_worker,
    gave_up,   // workers cannot be started. What is queued is settled by the actions after this one
    drain,     // the queue was full, and is half empty
    reloaded,  // a reload has ended
    closed,    // no task and no worker is left, and none will be
  };
  enum class Why { aborted, timed_out, queue_full, worker_died, worker_start_failed, pool_closed };

  Kind kind = Kind::closed;
  WorkerId worker = 0;
  TaskId task = 0;
  Why why = {};  // settle
  std::optional<std::chrono::milliseconds> left =
      {};                // run: the time until its deadline, if it has one
  bool last_try = true;  // run: no retry is left after this
  bool success = true;   // reloaded
};

}  // namespace tine::pool
