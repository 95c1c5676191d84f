// A cluster: one program in many processes that share the ports it listens at.
//
// Includes json_fwd.hpp only. A program that uses JSON values includes <nlohmann/json.hpp> or
// <tine/tine.hpp>.
#pragma once

#include <csignal>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tine/address.hpp"
#include "tine/callback.hpp"
#include "tine/channel_end.hpp"
#include "tine/child_process.hpp"
#include "tine/detail/export.hpp"
#include "tine/detail/json.hpp"
#include "tine/emitter.hpp"
#include "tine/error.hpp"
#include "tine/fork_options.hpp"
#include "tine/handle.hpp"
#include "tine/message.hpp"

namespace tine::cluster {
class ClusterState;
class WorkerState;
}  // namespace tine::cluster

namespace tine {

class Loop;
class Process;
class Rpc;

// A worker of a cluster, seen by its primary or by itself.
//
//   "online"      the worker runs (primary only)
//   "listening"   one of its servers listens; carries the address (primary only)
//   "message"     the other side sent a message; see Message for the forms that a listener may
//                 take. Without a listener the message is dropped
//   "error"       in the primary as ChildProcess's, see also Cluster's; in the worker as Process's
//   "disconnect"  the channel is closed
//   "exit"        the worker has ended (primary only)
//
// A handle: see Emitter.
//
// Node: cluster.Worker.
class TINE_EXPORT Worker
    : public Emitter<Event<"online">, Event<"listening", Address>, Event<"message", Message>,
                     Event<"error", Error>, Event<"disconnect">, Event<"exit", ExitStatus>>,
      private ChannelEnd {
 public:
  Worker() = default;

  // False for an empty handle.
  explicit operator bool() const { return state_ != nullptr; }

  // Counts from 1; ids are never reused.
  int id() const;

  // In the primary: the child. In the worker itself: an empty handle.
  ChildProcess process() const;

  // The channel between primary and worker: see ChannelEnd.
  using ChannelEnd::channel;
  using ChannelEnd::connected;
  using ChannelEnd::send;

  // Shuts the worker down gracefully: it stops listening, and disconnects when its connections have
  // ended; if called in the worker itself, not before the primary knows of it.
  //
  // To close the channel without that, call disconnect() of process(); in the worker itself, of the
  // Process that the Cluster was given.
  //
  // Node: worker.disconnect(), and worker.process.disconnect().
  void disconnect() const;

  // In the primary: sends the signal. In the worker: leaves the cluster and exits with code 0.
  void kill(int signal = SIGTERM) const;

  bool is_connected() const { return connected(); }
  bool is_dead() const;

  // Whether the worker left voluntarily, by disconnect(), rather than by a crash. nullopt while it
  // lives and is not leaving.
  std::optional<bool> exited_after_disconnect() const;

  friend bool operator==(const Worker& a, const Worker& b) { return a.state_ == b.state_; }

 private:
  friend class Rpc;
  friend class cluster::WorkerState;
  explicit Worker(std::shared_ptr<cluster::WorkerState> state);

  std::shared_ptr<cluster::WorkerState> state_;
};

// Which worker gets a connection. For TCP and Unix paths; UDP sockets are always shared.
class TINE_EXPORT Balancing {
 public:
  // A worker to choose from.
  struct Candidate {
    int worker;               // its id
    bool free;                // it has answered for the last connection that it was given
    std::size_t connections;  // those it was given and has not closed, as far as it reports this
  };
  // Returns the index of the candidate that gets a connection from `client`; an index out of range
  // means the first. There is at least one candidate. One that is not free gets the connection when
  // it is.
  using Choice =
      std::function<std::size_t(const Address& client, const std::vector<Candidate>& candidates)>;

  enum class Kind { round_robin, none, least_connections, reuse_port, choice };

  // The worker that has been free for the longest time. The primary accepts the connections.
  static Balancing round_robin() { return Balancing(Kind::round_robin); }
  // All workers accept from one socket, and the kernel chooses which one it wakes.
  static Balancing none() { return Balancing(Kind::none); }
  // The worker with the fewest open connections. Only workers that are tine report closed ones.
  static Balancing least_connections() { return Balancing(Kind::least_connections); }
  // Each worker has a socket of its own at the port, and the kernel distributes the connections.
  // Not for Unix paths, which are shared.
  static Balancing reuse_port() { return Balancing(Kind::reuse_port); }
  // A function chooses, for example one that always sends an address to the same worker.
  static Balancing by(Choice choice);

  Kind kind() const { return kind_; }
  const Choice& choice() const { return choice_; }

 private:
  explicit Balancing(Kind kind) : kind_(kind) {}

  Kind kind_;
  Choice choice_;
};

// How workers are started.
//
// Node: the argument of setupPrimary(), cluster.settings, schedulingPolicy.
struct ClusterSettings {
  // The program of the workers. Empty: this program, by the path it had when it started, so after
  // an update on disk the next workers run the new program.
  std::filesystem::path exec = {};

  // The options of each worker's fork. They mean what they mean for tine::fork(), with two
  // differences: empty `args` are those of this program, if `exec` is not set either; and if
  // `exec_args`, or NODE_OPTIONS, ask for Node's inspector (--inspect), each worker gets a port of
  // its own: the first worker gets the given port, or 9229, and each further worker the next one.
  // `timeout` and `stop` apply to every worker. A `detached` worker still exits when its primary is
  // gone. Invalid options are an "error" of the worker.
  //
  // Node: the settings args, execArgv, cwd, silent, stdio, uid and gid, and no others. Inspector
  // ports count from the port of the primary's own inspector.
  ForkOptions fork = {};

  // nullopt: as NODE_CLUSTER_SCHED_POLICY says, "rr" or "none", otherwise round robin. A change
  // applies to sockets that workers ask for afterwards.
  std::optional<Balancing> balancing = {};
};

// A cluster: the primary forks workers, which run the same program and listen at the same ports.
//
//   tine::Loop loop;
//   tine::Cluster cluster(loop);
//   if (cluster.is_primary()) {
//     cluster.fork();
//     cluster.fork();
//   } else {
//     serve();  // listens as it would alone
//   }
//   loop.run();
//
// Events in the primary, for any worker:
//
//   "setup"       setup_primary() was called, by the first fork() if by nobody else
//   "fork"        a worker was forked
//   "online"      a worker runs
//   "listening"   one of a worker's servers listens; carries the address
//   "message"     a worker sent a message; see Worker's
//   "error"       as ChildProcess's, and if no more connections come to a socket at which the
//                 worker listens. Without a listener here or at the Worker, the error of a running
//                 worker is dropped, so that a bad worker does not end its primary; but if a worker
//                 could not be started, Loop::run() throws the error
//   "disconnect"  a worker's channel is closed
//   "exit"        a worker has ended
//
// In a worker this class emits no events: see worker(). Server::listen() and Datagram::bind() on
// its loop ask the primary for their socket, unless ListenOptions::exclusive is set. A worker exits
// with code 0 when its primary is gone.
//
// A plain object on the stack of main, created once and before threads. In a worker it is the
// Process too, unless it is given one: a program that is forked by another program, and has workers
// itself, creates its Process first.
//
// Node: the module node:cluster.
class TINE_EXPORT Cluster
    : public Emitter<Event<"setup">, Event<"fork", Worker>, Event<"online", Worker>,
                     Event<"listening", Worker, Address>,
                     Event<"message", Worker, nlohmann::json, Handle>,
                     Event<"error", Worker, Error>, Event<"disconnect", Worker>,
                     Event<"exit", Worker, ExitStatus>> {
 public:
  explicit Cluster(Loop& loop);
  // Uses the Process of this program, which is on the same loop and outlives the Cluster.
  Cluster(Loop& loop, Process& process);
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;
  ~Cluster();

  bool is_primary() const;
  bool is_worker() const { return !is_primary(); }

  // This process, if it is a worker; otherwise an empty handle.
  //
  // Node: cluster.worker.
  Worker worker() const;

  // --- for the primary only

  // Changes how workers are started from now on. A setting or an option of `fork` that has its
  // default value counts as not given, and stays as it was; `env` is merged variable by variable.
  void setup_primary(const ClusterSettings& settings = {});
  const ClusterSettings& settings() const;

  // Starts a worker, with additional variables for it alone. If it cannot be started, that is an
  // "error".
  Worker fork(const std::map<std::string, std::optional<std::string>>& env = {});

  // The workers that run or are connected, by id, without those that leave by disconnect().
  std::map<int, Worker> workers() const;

  // Disconnects all workers; the callback runs when none is left.
  void disconnect(Callback<void()> disconnected = {});

 private:
  explicit Cluster(std::unique_ptr<cluster::ClusterState> state);

  std::unique_ptr<cluster::ClusterState> state_;
};

}  // namespace tine
