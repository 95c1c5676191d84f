#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
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

// A text that would be cut short where it becomes a C string.
bool has_nul(std::string_view text);
// As errors, which are C strings, have it: with "\\0" for a zero byte.
std::string printable(std::string_view text);

// Of an IP address in text; none if it is something else, such as a name.
std::optional<SocketAddress> ip_address(const std::string& host, std::uint16_t port);
// Throws Error for a path with a zero byte, but one that begins with it.
void verify_path(const std::string& path);
// Throws Error, as verify_path() does, and for a path that is too long.
SocketAddress path_address(const std::string& path);
// Of what was looked up.
std::vector<SocketAddress> ip_addresses(const addrinfo* found, std::uint16_t port);

Address to_address(const SocketAddress& address);

// Of the two ends of a socket; none if it has none, or is none.
std::optional<Address> local_address(int fd);
std::optional<Address> remote_address(int fd);

}  // namespace tine::net
