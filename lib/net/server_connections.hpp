#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <system_error>
#include <vector>

#include "net/peer_connections.hpp"
#include "tine/callback.hpp"
#include "uv/loop_core.hpp"

namespace tine::net {

// The connections of a server: how many this process has, how many it may have, and those that were
// passed to other processes.
class ServerConnections {
 public:
  using Peers = std::vector<std::shared_ptr<PeerConnections>>;
  using Counted = Callback<void(std::error_code, std::size_t)>;

  // nullopt: no limit. Connections that are open already stay.
  void set_most(std::optional<std::size_t> most) { most_ = most; }
  std::optional<std::size_t> most() const { return most_; }
  bool full() const { return most_ && here_ >= *most_; }

  void opened() noexcept { ++here_; }
  void ended() noexcept { --here_; }

  void add(std::shared_ptr<PeerConnections> connections);
  void remove(const PeerConnections& connections) noexcept;
  const Peers& peers() const { return peers_; }
  // Returns those of other processes, and forgets them.
  Peers take_peers() noexcept;

  // Returns whether none is open, in this process or in another one.
  bool none() const { return here_ == 0 && peers_.empty(); }

  // Counts the open connections of all processes. Calls `counted` once, on a later turn, with an
  // error if a process did not answer.
  void count(uv::LoopCore& core, Counted counted) const;

 private:
  std::optional<std::size_t> most_;
  std::size_t here_ = 0;
  Peers peers_;
};

}  // namespace tine::net
