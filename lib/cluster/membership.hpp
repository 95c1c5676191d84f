#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cluster/messages.hpp"
#include "cluster/worker_state.hpp"
#include "net/listener_source.hpp"
#include "tine/handle.hpp"
#include "tine/process.hpp"

namespace tine::cluster {

// A worker's side of its cluster. It asks the primary for the sockets of this process, and takes
// the connections that the primary sends.
class Membership final : public net::ListenerSource,
                         public WorkerState::Delegate,
                         public std::enable_shared_from_this<Membership> {
 public:
  Membership(Process& process, std::shared_ptr<WorkerState> worker);

  void join();

  void find(const net::ListenerQuery& query, std::weak_ptr<net::ListenerUser> user,
            Answered answered) override;

  void disconnect(WorkerState& worker) override;
  void kill(WorkerState& worker, int signal) override;

 private:
  using ReplyHandler = std::function<void(const nlohmann::json& reply, const Handle& handle)>;

  // The queries for one address, port and type, pending or granted. Each gets its own index, which
  // starts from 0 again when no query is left.
  struct QueryGroup {
    std::int64_t next_index = 0;
    std::size_t open = 0;  // queries
  };
  class Lease;

  void handle_error(Error error);
  void handle_message(const nlohmann::json& message, const Handle& handle);
  void handle_connection(const nlohmann::json& message, const Handle& handle);
  void handle_query_reply(const nlohmann::json& members, const net::ListenerQuery& query,
                          const std::weak_ptr<net::ListenerUser>& user, const Answered& answered,
                          const nlohmann::json& reply, const Handle& handle);
  void close_later(const std::weak_ptr<net::ListenerUser>& user);
  void release(const std::string& key, const std::string& group);
  void close_users(std::function<void()> closed);
  void announce_leaving();
  void disconnect_channel();
  void handle_disconnect();
  std::uint64_t send(nlohmann::json message);

  Process& process_;
  std::shared_ptr<WorkerState> worker_;
  // By the sequence number of the message that the primary will reply to.
  std::map<std::uint64_t, ReplyHandler> reply_handlers_;
  std::map<std::uint64_t, std::weak_ptr<net::ListenerUser>> pending_users_;
  std::map<std::string, QueryGroup> query_groups_;
  std::map<std::string, std::weak_ptr<net::ListenerUser>, std::less<>> users_;  // by key
  std::uint64_t next_seq_ = 0;
};

}  // namespace tine::cluster
