#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sys/socket.h>

#include "tine/address.hpp"

struct addrinfo;

namespace tine::net {

// An address in the form that system calls take.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
};

// Of an IP address in text; none if it is something else, such as a name.
std::optional<SocketAddress> ip_address(const std::string& host, std::uint16_t port);
// Throws Error, for a path that is too long.
SocketAddress path_address(const std::string& path);
// Of what was looked up.
std::vector<SocketAddress> ip_addresses(const addrinfo* found, std::uint16_t port);

Address to_address(const SocketAddress& address);

// Of the two ends of a socket; none if it has none, or is none.
std::optional<Address> local_address(int fd);
std::optional<Address> remote_address(int fd);

}  // namespace tine::net
