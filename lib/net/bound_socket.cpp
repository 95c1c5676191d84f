#include "net/bound_socket.hpp"

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sockets.hpp"
#include "base/system_code.hpp"
#include "tine/error.hpp"

namespace tine::net {

namespace {

[[noreturn]] void fail(int error, const std::string& what) {
  throw Error(base::system_code(error), what);
}

void set(int fd, int level, int name, bool on, const std::string& where) {
  const int error = base::set_socket_option(fd, level, name, on ? 1 : 0);
  if (error != 0) fail(error, "bind " + where);
}

// TCP servers reuse addresses, as is usual everywhere but on Windows: a server may restart while
// connections of its predecessor still linger.
void set_options(int fd, int family, const SocketOptions& options, const std::string& where) {
  if (family == AF_UNIX) return;
  const bool reuse = options.reuse_address || options.type == SOCK_STREAM;
  if (reuse) set(fd, SOL_SOCKET, SO_REUSEADDR, true, where);
  if (options.reuse_port) set(fd, SOL_SOCKET, SO_REUSEPORT, true, where);
  if (family == AF_INET6) set(fd, IPPROTO_IPV6, IPV6_V6ONLY, options.ipv6_only, where);
}

bool no_ipv6(int error) {
  return error == EAFNOSUPPORT || error == EADDRNOTAVAIL || error == EINVAL;
}

}  // namespace

base::Descriptor bound_socket(const SocketAddress& address, const SocketOptions& options) {
  const std::string where = to_string(to_address(address));
  base::Descriptor socket = base::make_socket(address.family(), options.type);
  if (socket.get() < 0) fail(errno, "bind " + where);
  set_options(socket.get(), address.family(), options, where);
  if (::bind(socket.get(), address.get(), address.size) < 0) fail(errno, "bind " + where);
  return socket;
}

base::Descriptor bound_socket(std::uint16_t port, const SocketOptions& options) {
  try {
    return bound_socket(*ip_address("::", port), options);
  } catch (const Error& error) {
    if (!no_ipv6(error.code().value()) || options.ipv6_only) throw;
  }
  return bound_socket(*ip_address("0.0.0.0", port), options);
}

base::Descriptor adopted_socket(int fd, int type) {
  const std::optional<int> its_type = base::socket_option(fd, SOL_SOCKET, SO_TYPE);
  const std::string what = "descriptor " + std::to_string(fd) + " cannot be taken over";
  if (!its_type) fail(errno, what);
  const auto where = local_address(fd);
  const bool wrong_family = type == SOCK_DGRAM && where && where->family == Family::unix_path;
  if (*its_type != type || wrong_family) fail(EPROTOTYPE, what);
  if (const int error = base::prepare(fd); error != 0) fail(error, what);
  return base::Descriptor(fd);
}

base::Descriptor duplicated_socket(int fd) {
  base::Descriptor copy = base::duplicate(fd);
  if (copy.get() < 0) fail(errno, "a socket's descriptor could not be duplicated");
  return copy;
}

BoundPath::BoundPath(std::string path, bool readable_all, bool writable_all)
    : path_(std::move(path)) {
  struct stat status {};
  if (path_.starts_with('\0')) {  // an abstract name, not in the file system
    path_.clear();
    return;
  }
  if (::stat(path_.c_str(), &status) < 0) fail(errno, "bind " + path_);
  device_ = status.st_dev;
  inode_ = status.st_ino;
  constexpr mode_t reading = S_IRUSR | S_IRGRP | S_IROTH;
  constexpr mode_t writing = S_IWUSR | S_IWGRP | S_IWOTH;
  const mode_t more = (readable_all ? reading : 0) | (writable_all ? writing : 0);
  if (more != 0 && ::chmod(path_.c_str(), (status.st_mode & 07777) | more) < 0) {
    const int error = errno;
    ::unlink(path_.c_str());
    fail(error, "chmod " + path_);
  }
  std::error_code no_folder;
  const auto absolute = std::filesystem::absolute(path_, no_folder);
  if (!no_folder) path_ = absolute.string();
}

BoundPath::~BoundPath() {
  struct stat status {};
  if (path_.empty() || getpid() != owner_ || ::stat(path_.c_str(), &status) < 0) return;
  if (status.st_dev == device_ && status.st_ino == inode_) ::unlink(path_.c_str());
}

}  // namespace tine::net
