#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <sys/types.h>
#include <unistd.h>

#include "net/socket_address.hpp"
#include "uv/descriptor.hpp"

namespace tine::net {

struct SocketOptions {
  int type = 0;  // SOCK_STREAM or SOCK_DGRAM
  bool ipv6_only = false;
  bool reuse_address = false;
  bool reuse_port = false;
};

// A new socket that is bound to an address. Throws Error.
uv::Descriptor bound_socket(const SocketAddress& address, const SocketOptions& options);
// The same at a port of all addresses: of both families, or of IPv4 where there is no IPv6.
uv::Descriptor bound_socket(std::uint16_t port, const SocketOptions& options);

// A socket of that type, taken over from the user. Throws Error if it is none, and then has not
// touched it.
uv::Descriptor adopted_socket(int fd, int type);

// Another descriptor of the same socket. Throws Error.
uv::Descriptor duplicated_socket(int fd);

// A path that a socket was bound to. Removes it when it goes, whatever the directory of the process is by
// then, unless something else is there. A copy of the process, made by fork(), leaves it.
class BoundPath {
 public:
  // Throws Error.
  BoundPath(std::string path, bool readable_all, bool writable_all);
  BoundPath(const BoundPath&) = delete;
  BoundPath& operator=(const BoundPath&) = delete;
  ~BoundPath();

  // It stays.
  void leave() { path_.clear(); }

 private:
  std::string path_;  // absolute
  pid_t owner_ = getpid();
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace tine::net
