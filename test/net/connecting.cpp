// Which of several addresses is connected to, and when this is reported.
#include "net/connecting.hpp"

#include <cerrno>
#include <cstdint>
#include <deque>
#include <optional>
#include <system_error>
#include <utility>

#include "net/objects.hpp"
#include "support/catch.hpp"
#include "support/test_loop.hpp"

using tine::net::Connecting;
using tine::net::ip_address;
using tine::net::path_address;
using tine::net::SocketAddress;

namespace {

// A connection to a server at the loopback that is being made, and its result.
struct Attempt {
  Attempt() : server(loopback_server(loop)), port(server.address()->port) {
    server.on<"connection">([](tine::Socket socket) { socket.destroy(); });
    connecting.emplace(tine::core_of(loop),
                       [this](std::error_code why, tine::base::Descriptor connected) {
                         ++done;
                         error = why;
                         peer = tine::net::remote_address(connected.get());
                         connecting.reset();
                         server.close();
                       });
  }

  TestLoop loop;
  tine::Server server;
  std::uint16_t port;
  std::optional<Connecting> connecting;
  int done = 0;
  std::error_code error;
  std::optional<tine::Address> peer;
};

// Returns an address at which the loopback refuses connections.
SocketAddress refusing(const tine::base::Descriptor& bound) {
  return *ip_address("127.0.0.1", tine::net::local_address(bound.get())->port);
}

}  // namespace

TEST_CASE("connecting: the first address that accepts is taken", "[net]") {
  Attempt attempt;
  const tine::base::Descriptor bound = bound_to_loopback();
  attempt.connecting->connect({path_address("/no/such/path"), refusing(bound),
                               *ip_address("127.0.0.1", attempt.port), refusing(bound)});
  CHECK(attempt.done == 0);
  attempt.loop.run();
  CHECK(attempt.done == 1);
  CHECK_FALSE(attempt.error);
  CHECK(attempt.peer->port == attempt.port);
}

TEST_CASE("connecting: if none accepts, the error is that of the last", "[net]") {
  Attempt attempt;
  const tine::base::Descriptor bound = bound_to_loopback();
  const bool at_once = GENERATE(false, true);
  std::deque<SocketAddress> addresses{refusing(bound), path_address("/no/such/path")};
  if (at_once) addresses.pop_front();
  attempt.connecting->connect(std::move(addresses));
  if (at_once) CHECK(attempt.done == 1);
  attempt.loop.run();
  CHECK(attempt.done == 1);
  CHECK(attempt.error == system_code(ENOENT));
  CHECK_FALSE(attempt.peer);
}

TEST_CASE("connecting: a name is looked up first", "[net]") {
  Attempt attempt;
  attempt.connecting->connect("localhost", attempt.port);
  CHECK(attempt.done == 0);
  attempt.loop.run();
  CHECK(attempt.done == 1);
  CHECK_FALSE(attempt.error);
  CHECK(attempt.peer->port == attempt.port);
}

TEST_CASE("connecting: once it is destroyed, nothing is reported", "[net]") {
  Attempt attempt;
  const bool by_name = GENERATE(false, true);
  if (by_name) {
    attempt.connecting->connect("localhost", attempt.port);
  } else {
    attempt.connecting->connect({*ip_address("127.0.0.1", attempt.port)});
  }
  attempt.connecting.reset();
  attempt.server.close();
  attempt.loop.run();
  CHECK(attempt.done == 0);
}
