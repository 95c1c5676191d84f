#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <sys/types.h>
#include <unistd.h>

#include "base/descriptor.hpp"
#include "net/socket_address.hpp"

namespace tine::net {

struct SocketOptions {
  int type = 0;  // SOCK_STREAM or SOCK_DGRAM
  bool ipv6_only = false;
  bool reuse_address = false;
  bool reuse_port = false;
};

// Creates a socket that is bound to an address. Throws Error.
base::Descriptor bound_socket(const SocketAddress& address, const SocketOptions& options);
// The same at a port on all addresses: IPv6 and IPv4, or only IPv4 if the system has no IPv6.
base::Descriptor bound_socket(std::uint16_t port, const SocketOptions& options);

// Takes over a socket of that type from the user. Throws Error if the descriptor is no such socket;
// it is then left untouched.
base::Descriptor adopted_socket(int fd, int type);

// Duplicates the descriptor of a socket. Throws Error.
base::Descriptor duplicated_socket(int fd);

// A path that a socket was bound to. The destructor removes it, even if the working directory has
// changed, unless something else is at the path by then. A copy of the process, made by fork(),
// leaves the path alone.
class BoundPath {
 public:
  // Gives all users the permissions that are asked for. Throws Error.
  BoundPath(std::string path, bool readable_all, bool writable_all);
  BoundPath(const BoundPath&) = delete;
  BoundPath& operator=(const BoundPath&) = delete;
  ~BoundPath();

  // Keeps the path in the file system.
  void leave() { path_.clear(); }

 private:
  std::string path_;  // absolute
  pid_t owner_ = getpid();
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace tine::net
