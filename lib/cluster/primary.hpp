#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/distributor.hpp"
#include "cluster/messages.hpp"
#include "cluster/shared_socket.hpp"
#include "cluster/worker_state.hpp"
#include "process/parent.hpp"
#include "tine/cluster.hpp"
#include "tine/loop.hpp"

namespace tine::cluster {

// The state behind tine::Cluster in the primary: the workers and the sockets they share.
class Primary final : public Cluster::Listeners,
                      public WorkerState::Delegate,
                      private process::Parent,
                      public std::enable_shared_from_this<Primary> {
 public:
  explicit Primary(Loop& loop) : Parent(loop), loop_(loop) {}

  void setup(const ClusterSettings& settings);
  const ClusterSettings& settings() const { return settings_; }
  Worker fork(const std::map<std::string, std::optional<std::string>>& env);
  std::map<int, Worker> workers() const;
  void disconnect_all(Callback<void()> disconnected);

  void disconnect(WorkerState& worker) override;
  void kill(WorkerState& worker, int signal) override;
  void listeners_changed() override { check_thread(); }

 private:
  using Socket = std::unique_ptr<SharedSocket>;

  void loop_closing() noexcept override;

  void subscribe_to(const std::shared_ptr<WorkerState>& worker);
  void handle_error(WorkerState& worker, Error error);
  void handle_message(WorkerState& worker, const nlohmann::json& message);
  void handle_reply(WorkerState& worker, std::uint64_t number, const nlohmann::json& reply);
  void handle_listening(WorkerState& worker, const nlohmann::json& message);
  void handle_query(WorkerState& worker, const nlohmann::json& message);
  SharedSocket& socket_for(const Query& query);
  Socket make_socket(const Query& query);
  void grant(WorkerState& worker, const nlohmann::json& message, const Query& query);
  void refuse(WorkerState& worker, const nlohmann::json& message, const std::string& key,
              int error);
  void remove_from_socket(WorkerState& worker, const std::string& key);
  void remove_from_sockets(WorkerState& worker);
  void worker_ended(WorkerState& worker);
  void remove_worker(WorkerState& worker);
  void notify_if_all_gone();
  std::optional<std::uint64_t> send_connection(int worker, const std::string& key,
                                               const base::Descriptor& connection);
  void report_broken(const std::string& key, const Error& error);
  std::uint64_t send(WorkerState& worker, nlohmann::json message);
  SharedSocket* find_socket(const std::string& key);

  Loop& loop_;
  ClusterSettings settings_;
  bool set_up_ = false;
  std::map<int, std::shared_ptr<WorkerState>> workers_;
  std::map<std::string, Socket, std::less<>> sockets_;
  std::vector<Callback<void()>> disconnect_callbacks_;
  int last_id_ = 0;
  std::uint64_t next_seq_ = 0;  // the sequence number of the next message to any worker
};

}  // namespace tine::cluster
