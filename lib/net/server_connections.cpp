#include "net/server_connections.hpp"

#include <utility>

namespace tine::net {

void ServerConnections::add(std::shared_ptr<PeerConnections> connections) {
  peers_.push_back(std::move(connections));
}

void ServerConnections::remove(const PeerConnections& connections) noexcept {
  std::erase_if(peers_, [&](const auto& one) { return one.get() == &connections; });
}

ServerConnections::Peers ServerConnections::take_peers() noexcept {
  return std::exchange(peers_, {});
}

void ServerConnections::count(uv::LoopCore& core, Counted counted) const {
  struct Sum {
    Counted counted;
    std::size_t connections = 0;
    std::size_t missing = 0;
    std::error_code error{};
  };
  const auto sum = std::make_shared<Sum>();
  sum->counted = std::move(counted);
  sum->connections = here_;
  sum->missing = peers_.size();
  if (peers_.empty()) return core.defer([sum] { sum->counted({}, sum->connections); });
  for (const auto& connections : Peers(peers_)) {
    connections->count([sum](std::error_code error, std::size_t count) {
      if (!sum->error) sum->error = error;
      sum->connections += count;
      if (--sum->missing == 0) sum->counted(sum->error, sum->error ? 0 : sum->connections);
    });
  }
}

}  // namespace tine::net
