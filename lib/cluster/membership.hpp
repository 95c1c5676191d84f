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
#include "uv/loop_core.hpp"

namespace tine::cluster {

// A worker's side of its cluster. It asks the primary for the sockets of this process, and takes
// the connections that the primary sends.
class Membership final : public net::ListenerSource,
                         public WorkerState::Side,
                         public std::enable_shared_from_this<Membership> {
 public:
  Membership(uv::LoopCore& core, Process& process, std::shared_ptr<WorkerState> worker);

  void join();

  void find(const net::ListenerQuery& query, std::weak_ptr<net::ListenerUser> user,
            Answered answered) override;

  void disconnect(WorkerState& worker) override;
  void kill(WorkerState& worker, int signal) override;

 private:
  using Replied = std::function<void(const nlohmann::json& reply, const Handle& handle)>;

  // The queries for one address, port and type, pending or granted; each gets its own index. The
  // index starts from 0 again when none is left.
  struct Alike {
    std::int64_t next = 0;
    std::size_t open = 0;
  };
  class Lease;

  void failed(Error error);
  void said(const nlohmann::json& message, const Handle& handle);
  void connection_came(const nlohmann::json& message, const Handle& handle);
  void granted(const nlohmann::json& members, const net::ListenerQuery& query,
               const std::weak_ptr<net::ListenerUser>& user, const Answered& answered,
               const nlohmann::json& reply, const Handle& handle);
  void close_later(const std::weak_ptr<net::ListenerUser>& user);
  void given_back(const std::string& key, const std::string& alike);
  void leave(std::function<void()> left);
  void tell_primary_that_we_leave();
  void cut();
  void disconnected();
  std::uint64_t send(nlohmann::json message);

  uv::LoopCore& core_;
  Process& process_;
  std::shared_ptr<WorkerState> worker_;
  std::map<std::uint64_t, Replied> awaited_;
  std::map<std::uint64_t, std::weak_ptr<net::ListenerUser>> asking_;  // users that await a reply
  std::map<std::string, Alike> alike_;
  std::map<std::string, std::weak_ptr<net::ListenerUser>, std::less<>> users_;  // by key
  std::uint64_t next_number_ = 0;
};

}  // namespace tine::cluster
