#include "net/tcp_options.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "base/sockets.hpp"

namespace tine::net {

namespace {

#ifdef TCP_KEEPIDLE
constexpr int keep_alive_time = TCP_KEEPIDLE;
#else
constexpr int keep_alive_time = TCP_KEEPALIVE;  // macOS
#endif

}  // namespace

void TcpOptions::apply_to(int fd) const noexcept {
  if (no_delay) base::set_socket_option(fd, IPPROTO_TCP, TCP_NODELAY, *no_delay ? 1 : 0);
  if (!keep_alive) return;
  base::set_socket_option(fd, SOL_SOCKET, SO_KEEPALIVE, keep_alive->on ? 1 : 0);
  const auto after = static_cast<int>(keep_alive->after.count());
  if (after > 0) base::set_socket_option(fd, IPPROTO_TCP, keep_alive_time, after);
}

}  // namespace tine::net
