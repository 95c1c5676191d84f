// A cluster: one program in many processes that share the ports it listens at.
//
// Includes json_fwd.hpp only: a program that handles values includes <nlohmann/json.hpp>, or
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
#include "tine/channel_end.hpp"
#include "tine/child_process.hpp"
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

#pragma GCC visibility push(default)

namespace tine {

class Loop;
class Process;

// A worker of a cluster, seen by its primary or by itself.
//
//   "online"      it runs (primary only)
//   "listening"   one of its servers listens, there (primary only)
//   "message"     the other side sent one; see Message for the forms a listener may ask for. One that
//                 nobody listens to is dropped
//   "error"       as of ChildProcess, see also Cluster's; in the worker as of Process
//   "disconnect"  the channel is closed
//   "exit"        it has ended (primary only)
//
// A handle: copy it, keep it, drop it. A default handle is empty: all one may do is assign to it, or ask
// whether it is. Use it on the thread of its loop.
//
// Node: cluster.Worker.
class Worker
    : public Emitter<Event<"online">, Event<"listening", Address>, Event<"message", Message>,
                     Event<"error", Error>, Event<"disconnect">, Event<"exit", ExitStatus>>,
      public ChannelEnd {
 public:
  Worker() = default;

  // False: it is an empty handle.
  explicit operator bool() const { return state_ != nullptr; }

  // Counted from 1, and never used again.
  int id() const;

  // The child, in the primary. In the worker itself: an empty handle.
  ChildProcess process() const;

  // Ends it in order: it listens no more, and leaves when its connections have ended. In the worker
  // itself this waits until the primary knows of it.
  //
  // Node: worker.disconnect(). Hides ChannelEnd::disconnect(), which cuts the channel at once.
  void disconnect();

  // In the primary: sends the signal. In the worker: leaves the cluster, and ends with code 0.
  void kill(int signal = SIGTERM);

  bool is_connected() const { return connected(); }
  bool is_dead() const;

  // Whether it left of its own accord, by disconnect(), and not by a crash. None while it lives.
  std::optional<bool> exited_after_disconnect() const;

  friend bool operator==(const Worker& a, const Worker& b) { return a.state_ == b.state_; }

 private:
  friend class cluster::WorkerState;
  explicit Worker(std::shared_ptr<cluster::WorkerState> state);

  std::shared_ptr<cluster::WorkerState> state_;
};

// Which worker gets a connection. Each is for TCP and Unix paths; UDP sockets are always shared.
class Balancing {
 public:
  // A worker to choose from.
  struct Candidate {
    int worker;               // its id
    bool free;                // it has answered for the last connection it was given
    std::size_t connections;  // that it was given and has not closed, as far as it tells
  };
  // Which of the candidates, of which there is at least one, gets a connection that came from `client`.
  // One that is not free gets it when it is. An index; what is out of range means the first.
  using Choice =
      std::function<std::size_t(const Address& client, const std::vector<Candidate>& candidates)>;

  enum class Kind { round_robin, none, least_connections, reuse_port, choice };

  // The worker that has been free for the longest. Connections are accepted by the primary.
  static Balancing round_robin() { return Balancing(Kind::round_robin); }
  // All workers accept from one socket, and the kernel wakes which it likes.
  static Balancing none() { return Balancing(Kind::none); }
  // The one with the fewest open connections. Only workers that are tine tell when one is closed.
  static Balancing least_connections() { return Balancing(Kind::least_connections); }
  // Each worker has a socket of its own at the port, and the kernel spreads connections over them.
  // Not for Unix paths, which are shared.
  static Balancing reuse_port() { return Balancing(Kind::reuse_port); }
  // By a function, such as one that sends an address to the same worker always.
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
  // The program of the workers. Empty: this one, by its path of when it started: after an update on disk the
  // next workers run the new program.
  std::filesystem::path exec = {};
  // Their arguments. Not given: the same as of this program, if exec is not given either.
  std::optional<std::vector<std::string>> args = {};

  // As ForkOptions'.
  std::string exec_path = {};
  // An inspector of Node's (--inspect, also in NODE_OPTIONS) gets a port of its own in each worker: the one
  // that is named, or 9229, in the first, and one more in each that follows.
  //
  // Node: counts from the port of the primary's own inspector.
  std::vector<std::string> exec_args = {};
  std::filesystem::path cwd = {};
  std::map<std::string, std::optional<std::string>> env = {};
  bool silent = false;
  std::vector<Stdio> stdio = {};
  std::optional<unsigned> uid = {};
  std::optional<unsigned> gid = {};

  // Not given: as NODE_CLUSTER_SCHED_POLICY says, "rr" or "none", else round robin. Counts from the
  // next server that is asked for.
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
// In the primary, of any worker:
//
//   "setup"       setup_primary() was called, by the first fork() if by nobody else
//   "fork"        it was forked
//   "online"      it runs
//   "listening"   one of its servers listens, there
//   "message"     it sent one; see Worker's
//   "error"       as of ChildProcess. Without a listener here or at the Worker the error of a worker that
//                 runs is dropped: a bad worker does not end its primary. That a worker could not be
//                 started comes out of Loop::run() then
//   "disconnect"  its channel is closed
//   "exit"        it has ended
//
// In a worker there are no events here: see worker(). Server::listen() and Datagram::bind() of its loop
// ask the primary for their socket, unless ListenOptions::exclusive says otherwise. A worker ends with
// code 0 when its primary is gone.
//
// A plain object on the stack of main, made once and before threads. In a worker it is the Process too,
// unless it is given one: a program that is forked by another one, and has workers itself, makes its
// Process first.
//
// Node: the module node:cluster.
class Cluster : public Emitter<Event<"setup">, Event<"fork", Worker>, Event<"online", Worker>,
                               Event<"listening", Worker, Address>,
                               Event<"message", Worker, nlohmann::json, Handle>,
                               Event<"error", Worker, Error>, Event<"disconnect", Worker>,
                               Event<"exit", Worker, ExitStatus>> {
 public:
  explicit Cluster(Loop& loop);
  // With the Process of this program, of the same loop, which outlives it.
  Cluster(Loop& loop, Process& process);
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;
  ~Cluster();

  bool is_primary() const;
  bool is_worker() const { return !is_primary(); }

  // This process, if it is a worker; else an empty handle.
  //
  // Node: cluster.worker.
  Worker worker() const;

  // --- the rest is for the primary

  // Merges in how workers are to be started from now on: what is not given stays as it was.
  void setup_primary(const ClusterSettings& settings = {});
  const ClusterSettings& settings() const;

  // Starts a worker, with some more variables for it alone. What keeps it from starting is an "error".
  Worker fork(const std::map<std::string, std::optional<std::string>>& env = {});

  // Those that run or are connected, by id.
  std::map<int, Worker> workers() const;

  // Disconnects all workers; the callback runs when none is left.
  void disconnect(std::function<void()> disconnected = {});

 private:
  explicit Cluster(std::unique_ptr<cluster::ClusterState> state);

  std::unique_ptr<cluster::ClusterState> state_;
};

}  // namespace tine

#pragma GCC visibility pop
