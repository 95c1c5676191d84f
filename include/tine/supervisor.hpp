// Supervision: children that are kept running, and are started and stopped in order.
//
// Includes json_fwd.hpp only. A program that uses JSON values includes <nlohmann/json.hpp> or
// <tine/tine.hpp>.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tine/backoff.hpp"
#include "tine/child_process.hpp"
#include "tine/detail/export.hpp"
#include "tine/emitter.hpp"
#include "tine/error.hpp"
#include "tine/fork_options.hpp"
#include "tine/heartbeat.hpp"
#include "tine/ready.hpp"
#include "tine/stop.hpp"

namespace tine::supervision {
class State;
}

namespace tine {

class Loop;

// When a child that has ended unasked is started again: always, if it has failed, or never. It has failed
// if it ended by a code other than 0 or by a signal, if it could not be started, was not ready in time,
// or hung.
enum class Restart { permanent, transient, temporary };

// What happens to the other children when a child is started again: nothing, those that were added
// after it are restarted too, or all are.
enum class Strategy { one_for_one, rest_for_one, one_for_all };

// A child of a Supervisor.
struct ChildSpec {
  // Names the child in events and errors. Each has another one.
  std::string name;

  // See fork(). If fork.own_group is not set, the child has a process group of its own where the system
  // supports it: Ctrl-C reaches the supervisor alone, which stops the children in order.
  std::filesystem::path module;
  ForkOptions fork = {};

  Restart restart = Restart::permanent;

  // When the child is ready. One that is not ready within the deadline is stopped, and has failed. As
  // with Heartbeat, time in which this process did not turn its loop does not count.
  Ready ready = Ready::spawned();
  std::chrono::milliseconds ready_deadline = std::chrono::seconds(30);

  Heartbeat heartbeat = {};
  Backoff backoff = {};

  // How the child is asked to end. After the last step, it and all that it has started are killed.
  std::vector<StopStep> stop = StopOptions().steps;
};

struct SupervisorOptions {
  Strategy strategy = Strategy::one_for_one;

  // A child that has ended unasked more than `restarts` times within `period` is not started again: all
  // children are given up, or it alone is, or none ever is.
  unsigned restarts = 5;
  std::chrono::milliseconds period = std::chrono::minutes(1);
  enum class GiveUp { all, child, never } give_up = GiveUp::all;

  // How many children may be starting at a time with one_for_one, where they do not depend on one
  // another. With the other strategies, each is started when the one before is ready.
  std::size_t starting = 4;
};

// Children that are kept running: started in the order in which they were added, started again when
// they end, and stopped in the opposite order.
//
//   "start"    a process of a child runs. Each time it is another handle, so add listeners for its
//              messages, errors and output here
//   "ready"    it is ready
//   "hung"     a child does not answer its heartbeat, and is about to be killed
//   "exit"     a process has ended
//   "restart"  a child will be started again, after that time; with why its process has ended
//   "failed"   a child is given up; the error says why, and how it ended (Errc::given_up). Without a
//              listener, Loop::run() throws the error: at once, or, if all are given up, when all have
//              been stopped
//   "close"    the last event: after stop(), or when every child has ended for good or is given up
//
// With rest_for_one and one_for_all, the children that depend on one that has ended are stopped first,
// the last one first. Then all of them are started in order, each when the one before is ready or has
// ended for good. Never do two processes of one child run at a time: one is started when the one before
// has been reaped.
//
// A child that could not be started is tried again like one that has ended; that is no "error".
//
// A handle: see Emitter. After "close" the listeners are dropped. Children, and the time before a child
// is started again, keep Loop::run() from returning. If the loop is destroyed first, the children run on
// as those of fork() do.
//
// Node: none; PM2. Erlang: supervisor, which has no delays.
class TINE_EXPORT Supervisor
    : public Emitter<Event<"start", std::string, ChildProcess>,
                     Event<"ready", std::string, ChildProcess>, Event<"hung", std::string>,
                     Event<"exit", std::string, ExitStatus>,
                     Event<"restart", std::string, std::chrono::milliseconds, std::string>,
                     Event<"failed", Error>, Event<"close">> {
 public:
  Supervisor() = default;
  explicit Supervisor(Loop& loop, SupervisorOptions options = {});

  // False for an empty handle.
  explicit operator bool() const { return state_ != nullptr; }

  // Adds a child, which is the last one. After start() it is started too.
  //
  // Throws Error if the name is empty or taken (Errc::invalid_argument).
  void add(ChildSpec child) const;

  // Starts the children, from the next turn of the loop on. A no-op after the first call.
  void start() const;

  // Stops all children, the last one first, each when the one behind it has ended. Children that are
  // starting are stopped too. Nothing is started any more.
  void stop() const;

  // Kills all children and all that they have started, at once.
  void kill() const;

  // Stops a child and starts it again, at once; also one that waits, has ended for good, or is given up.
  // That is no failure, and its former failures are forgotten. The children that depend on it are
  // restarted too. A no-op before start() and after stop(). Returns false if there is no such child.
  bool restart(std::string_view name) const;

  // The newest process of a child, which may have ended. Empty if there was none yet.
  ChildProcess child(std::string_view name) const;

  // Calls stop() for the first of these signals that comes, and kill() for each further one, until
  // "close". Call it before start(), so that none is missed. Throws what on_signal() throws.
  void stop_on(const std::vector<int>& signals) const;

 private:
  explicit Supervisor(std::shared_ptr<supervision::State> state);

  std::shared_ptr<supervision::State> state_;
};

}  // namespace tine
