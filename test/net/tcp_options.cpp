// The options that were chosen are set, and no others.
#include "net/tcp_options.hpp"

#include <chrono>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "base/sockets.hpp"
#include "net/objects.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using tine::base::socket_option;
using tine::net::TcpOptions;

TEST_CASE("tcp options: those that nobody has chosen stay as they are", "[net]") {
  const tine::base::Descriptor socket = tine::base::make_socket(AF_INET, SOCK_STREAM);
  TcpOptions{.no_delay = true}.apply_to(socket.get());
  CHECK(socket_option(socket.get(), IPPROTO_TCP, TCP_NODELAY) == 1);
  CHECK(socket_option(socket.get(), SOL_SOCKET, SO_KEEPALIVE) == 0);
  TcpOptions{.keep_alive = {{true, 0s}}}.apply_to(socket.get());
  CHECK(socket_option(socket.get(), IPPROTO_TCP, TCP_NODELAY) == 1);
  CHECK(socket_option(socket.get(), SOL_SOCKET, SO_KEEPALIVE) == 1);
}

TEST_CASE("tcp options: they can be turned off again", "[net]") {
  const tine::base::Descriptor socket = tine::base::make_socket(AF_INET, SOCK_STREAM);
  TcpOptions options{.no_delay = true, .keep_alive = {{true, 7s}}};
  options.apply_to(socket.get());
#ifdef TCP_KEEPIDLE
  CHECK(socket_option(socket.get(), IPPROTO_TCP, TCP_KEEPIDLE) == 7);
#endif
  options = {.no_delay = false, .keep_alive = {{false, 0s}}};
  options.apply_to(socket.get());
  CHECK(socket_option(socket.get(), IPPROTO_TCP, TCP_NODELAY) == 0);
  CHECK(socket_option(socket.get(), SOL_SOCKET, SO_KEEPALIVE) == 0);
}

TEST_CASE("tcp options: a socket that is not TCP is left alone", "[net]") {
  const auto [mine, other] = connected_pair();
  TcpOptions{.no_delay = true, .keep_alive = {{true, 7s}}}.apply_to(mine.get());
  CHECK_FALSE(socket_option(mine.get(), IPPROTO_TCP, TCP_NODELAY));
}
