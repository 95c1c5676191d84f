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

// Whether a text contains a zero byte, so that it would be cut short as a C string.
bool has_nul(std::string_view text);
// Replaces zero bytes by "\\0", for errors, whose texts are C strings.
std::string printable(std::string_view text);

// Parses an IP address; none if the text is anything else, such as a host name.
std::optional<SocketAddress> ip_address(const std::string& host, std::uint16_t port);
// Throws Error if a path contains a zero byte, unless it begins with one.
void verify_path(const std::string& path);
// Returns the address of a path. Throws Error as verify_path() does, and for a path that is too
// long.
SocketAddress path_address(const std::string& path);
// Returns the IP addresses that a lookup has found, with that port.
std::vector<SocketAddress> ip_addresses(const addrinfo* found, std::uint16_t port);

Address to_address(const SocketAddress& address);

// The addresses of the two ends of a socket; none if there is no such address, or no socket.
std::optional<Address> local_address(int fd);
std::optional<Address> remote_address(int fd);

}  // namespace tine::net
