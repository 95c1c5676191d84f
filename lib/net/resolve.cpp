#include "net/resolve.hpp"

#include <utility>

#include "tine/error.hpp"

namespace tine::net {

std::unique_ptr<uv::Lookup> resolve(
    uv::LoopCore& core, const std::string& host, int family, std::uint16_t port,
    std::function<void(std::error_code error, std::deque<SocketAddress> found)> done) {
  if (has_nul(host))
    throw Error(Errc::invalid_argument, "a NUL byte in the host " + printable(host));
  return std::make_unique<uv::Lookup>(
      core, host, family,
      [port, done = std::move(done)](std::error_code error, const addrinfo* found) {
        const auto addresses = ip_addresses(found, port);
        if (!error && addresses.empty()) error = Errc::host_not_found;
        done(error, {addresses.begin(), addresses.end()});
      });
}

}  // namespace tine::net
