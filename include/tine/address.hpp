// Addresses of sockets.
#pragma once

#include <cstdint>
#include <string>

#include "tine/detail/export.hpp"

namespace tine {

enum class Family { ipv4, ipv6, unix_path };

// The address of a socket: an IP address and a port, or a file system path.
//
// Node: net.SocketAddress; also the result of server.address(), and rinfo.
struct Address {
  Family family = Family::ipv4;

  // The IP address as text, such as "::1" or "fe80::1%eth0"; or the path, empty if the socket has
  // none. Linux: a path that begins with a zero byte is an abstract name, outside the file system;
  // all bytes that follow belong to the name. Any other text that contains a zero byte is rejected.
  std::string host;

  // 0 if the address has no port.
  std::uint16_t port = 0;

  bool operator==(const Address&) const = default;
};

// Returns "127.0.0.1:80", "[::1]:80", or the path. A zero byte is written as "\\0".
TINE_EXPORT std::string to_string(const Address& address);

}  // namespace tine
