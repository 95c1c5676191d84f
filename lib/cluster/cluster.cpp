#include "tine/cluster.hpp"

#include <optional>
#include <utility>

#include "cluster/membership.hpp"
#include "cluster/primary.hpp"
#include "net/listener_source.hpp"
#include "process/access.hpp"
#include "process/environment.hpp"
#include "tine/loop.hpp"
#include "tine/process.hpp"

namespace tine {

namespace cluster {

// Both sides of a cluster. A worker has a Primary too, but does not use it.
class ClusterState {
 public:
  explicit ClusterState(Loop& loop) : primary(std::make_shared<Primary>(loop)) {
    if (!process::worker_id()) return;
    own_process.emplace(loop);
    join(loop, *own_process);
  }
  ClusterState(Loop& loop, Process& process) : primary(std::make_shared<Primary>(loop)) {
    join(loop, process);
  }
  ClusterState(const ClusterState&) = delete;
  ClusterState& operator=(const ClusterState&) = delete;
  // What a listener of the worker captures may hold the worker.
  ~ClusterState() {
    if (worker) worker->clear();
  }

  void join(Loop& loop, Process& process) {
    const auto id = process::worker_id();
    if (!id || !process.connected()) return;
    worker = std::make_shared<WorkerState>(*id, process::Access::channel_of(process));
    const auto membership = std::make_shared<Membership>(process, worker);
    source.emplace(loop, membership);
    membership->join();
  }

  std::shared_ptr<Primary> primary;
  std::optional<Process> own_process;
  std::shared_ptr<WorkerState> worker;
  // A worker's membership. When it is gone, servers and datagram sockets bind their own sockets.
  std::optional<net::InstalledSource> source;
};

}  // namespace cluster

// --- Worker

Worker::Worker(std::shared_ptr<cluster::WorkerState> state)
    : Emitter(state), ChannelEnd(state->channel().peer()), state_(std::move(state)) {}

int Worker::id() const { return state_ ? state_->id() : 0; }
ChildProcess Worker::process() const { return state_ ? state_->child() : ChildProcess(); }
void Worker::disconnect() const {
  if (state_) state_->disconnect();
}
void Worker::kill(int signal) const {
  if (state_) state_->kill(signal);
}
bool Worker::is_dead() const { return state_ && state_->dead(); }

std::optional<bool> Worker::exited_after_disconnect() const {
  if (!state_ || (!state_->voluntary() && !state_->dead())) return std::nullopt;
  return state_->voluntary();
}

// --- Balancing

Balancing Balancing::by(Choice choice) {
  Balancing balancing(Kind::choice);
  balancing.choice_ = std::move(choice);
  return balancing;
}

// --- Cluster

Cluster::Cluster(Loop& loop) : Cluster(std::make_unique<cluster::ClusterState>(loop)) {}
Cluster::Cluster(Loop& loop, Process& process)
    : Cluster(std::make_unique<cluster::ClusterState>(loop, process)) {}

Cluster::Cluster(std::unique_ptr<cluster::ClusterState> state)
    : Emitter(state->primary), state_(std::move(state)) {}

Cluster::~Cluster() = default;

bool Cluster::is_primary() const { return state_->worker == nullptr; }

Worker Cluster::worker() const { return state_->worker ? state_->worker->handle() : Worker(); }

void Cluster::setup_primary(const ClusterSettings& settings) { state_->primary->setup(settings); }
const ClusterSettings& Cluster::settings() const { return state_->primary->settings(); }

Worker Cluster::fork(const std::map<std::string, std::optional<std::string>>& env) {
  return state_->primary->fork(env);
}

std::map<int, Worker> Cluster::workers() const { return state_->primary->workers(); }

void Cluster::disconnect(Callback<void()> disconnected) {
  state_->primary->disconnect_all(std::move(disconnected));
}

}  // namespace tine
