// Where a socket is, or is to be.
#pragma once

#include <cstdint>
#include <string>

#pragma GCC visibility push(default)

namespace tine {

enum class Family { ipv4, ipv6, unix_path };

// The address of a socket: an IP address and a port, or a path of the file system.
//
// Node: net.SocketAddress; server.address() and rinfo are objects of this kind.
struct Address {
  Family family = Family::ipv4;

  // The IP address in text, "::1" or "fe80::1%eth0"; or the path, empty for a socket that has none.
  // Linux: a path that begins with a zero byte is a name apart from the file system, of all the bytes
  // that follow. Any other text with a zero byte in it is refused.
  std::string host;

  // 0 where there is none.
  std::uint16_t port = 0;

  bool operator==(const Address&) const = default;
};

// "127.0.0.1:80", "[::1]:80", or the path. A zero byte is "\\0" in it.
std::string to_string(const Address& address);

}  // namespace tine

#pragma GCC visibility pop
