#include <cerrno>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/objects.hpp"
#include "net/peer_connections.hpp"
#include "net/server_state.hpp"
#include "net/socket_state.hpp"
#include "support/catch.hpp"
#include "support/test_loop.hpp"

using tine::Address;
using tine::Family;
using tine::Server;
using tine::Socket;
using tine::net::ListenerAnswer;
using tine::net::ServerState;

namespace {

std::shared_ptr<ServerState> server_state(TestLoop& loop) {
  return std::make_shared<ServerState>(tine::core_of(loop));
}

}  // namespace

TEST_CASE("server: its key has its address and is unique", "[net]") {
  TestLoop loop;
  Folder folder;
  const std::string path = folder.at("socket");
  const auto key_of = [&](const tine::ListenOptions& options) {
    const auto server = server_state(loop);
    server->listen(options);
    const std::string port = std::to_string(server->address().value().port);
    server->close({});
    loop.run();
    const std::size_t number = server->key().rfind(':');
    return std::pair(server->key().substr(0, number), port);
  };
  const auto [ipv4, ipv4_port] = key_of({.host = "127.0.0.1"});
  CHECK(ipv4 == "4:127.0.0.1:" + ipv4_port);
  const auto [ipv6, ipv6_port] = key_of({.host = "::1"});
  CHECK(ipv6 == "6:::1:" + ipv6_port);
  CHECK(key_of({.path = path}).first == "-1:" + path + ":-1");

  std::set<std::string> keys;
  for (int i = 0; i < 2; ++i) {
    const auto server = server_state(loop);
    server->listen({.path = path});
    keys.insert(server->key());
    server->close({});
    loop.run();
  }
  CHECK(keys.size() == 2);
}

TEST_CASE("server: a duplicate still listens when the server is closed", "[net]") {
  TestLoop loop;
  const auto server = server_state(loop);
  CHECK_THROWS_AS(server->duplicate(), tine::Error);
  server->listen({.host = "127.0.0.1"});
  const auto address = server->address();
  tine::base::Descriptor copy = server->duplicate();
  CHECK((fcntl(copy.get(), F_GETFD) & FD_CLOEXEC) != 0);
  server->close({});
  loop.run();

  CHECK(tine::net::local_address(copy.get()) == address);
  CHECK_THROWS_AS(server->duplicate(), tine::Error);
}

TEST_CASE("server: a socket that was shut down elsewhere is an error, once", "[net]") {
  TestLoop loop;
  const auto server = server_state(loop);
  server->listen({.host = "127.0.0.1"});
  const tine::base::Descriptor copy = server->duplicate();
  REQUIRE(::shutdown(copy.get(), SHUT_RD) == 0);
  Watch watch;
  watch.follow(server->handle());
  server->handle().on<"error">(
      [&] { loop->after(std::chrono::milliseconds(10), [&] { server->close({}); }); });
  loop.run();

  CHECK(watch.log == Log{"listening", "error", "close"});
  CHECK(watch.errors.at(0) == system_code(EINVAL));
}

TEST_CASE("server: a connection that it is given is counted and emitted", "[net]") {
  TestLoop loop;
  const auto server = server_state(loop);
  auto [mine, other] = connected_pair();
  CHECK_FALSE(server->accepted(mine));  // because the server does not listen
  CHECK(mine.get() >= 0);
  server->listen({.host = "127.0.0.1"});
  server->set_max_connections(1);
  std::optional<Socket> given;
  server->handle().on<"connection">([&](Socket socket) {
    given = socket;
    auto [late, peer] = connected_pair();
    CHECK_FALSE(server->accepted(late));  // because it has max_connections already
    CHECK(late.get() >= 0);
    server->count_connections([&](std::error_code, std::size_t count) {
      CHECK(count == 1);
      given->destroy();
      server->close({});
    });
  });
  CHECK(server->accepted(mine));
  CHECK(mine.get() == -1);
  CHECK_FALSE(given);  // not inside accepted()
  loop.run();
  CHECK(given);
}

TEST_CASE("server: a connection that it is given is closed if nobody listens for it", "[net]") {
  TestLoop loop;
  const auto server = server_state(loop);
  server->listen({.host = "127.0.0.1"});
  auto [mine, other] = connected_pair();
  CHECK(server->accepted(mine));
  char byte = 0;
  CHECK(::read(other.get(), &byte, 1) == 0);

  // A connection is also closed if its listener is removed before the event.
  auto [second, its_peer] = connected_pair();
  Server handle = server->handle();
  const auto subscription = handle.on<"connection">([] { FAIL("removed"); });
  CHECK(server->accepted(second));
  handle.off(subscription);
  server->close({});
  loop.run();
  CHECK(::read(its_peer.get(), &byte, 1) == 0);
}

namespace {

// Pretended connections of another process.
struct FakePeerConnections final : tine::net::PeerConnections {
  FakePeerConnections(TestLoop& loop, std::error_code its_error, std::size_t connections)
      : core(tine::core_of(loop)), error(its_error), open(connections) {}

  void count(std::function<void(std::error_code, std::size_t)> counted) override {
    core.defer([this, counted = std::move(counted)] { counted(error, open); });
  }
  void when_all_closed(std::function<void()> all_closed) override {
    ++asked;
    closed = std::move(all_closed);
  }

  tine::uv::LoopCore& core;
  std::error_code error;
  std::size_t open;
  int asked = 0;
  std::function<void()> closed;
};

}  // namespace

TEST_CASE("server: connections of a peer process count, unless one of them has an error", "[net]") {
  TestLoop loop;
  const auto server = server_state(loop);
  const auto two = std::make_shared<FakePeerConnections>(loop, std::error_code(), 2);
  const auto broken = std::make_shared<FakePeerConnections>(loop, system_code(EPIPE), 0);
  ExpectCalls counted(2);
  server->add_peer_connections(two);
  server->count_connections([&](std::error_code error, std::size_t count) {
    counted();
    CHECK_FALSE(error);
    CHECK(count == 2);
  });
  server->add_peer_connections(broken);
  server->count_connections([&](std::error_code error, std::size_t count) {
    counted();
    CHECK(error == system_code(EPIPE));
    CHECK(count == 0);
  });
  CHECK(counted.count() == 0);
  loop.run();
}

TEST_CASE("server: close() waits for connections of a peer process", "[net]") {
  TestLoop loop;
  const auto server = server_state(loop);
  server->listen({.host = "127.0.0.1"});
  const auto first = std::make_shared<FakePeerConnections>(loop, std::error_code(), 1);
  const auto gone = std::make_shared<FakePeerConnections>(loop, std::error_code(), 1);
  const auto late = std::make_shared<FakePeerConnections>(loop, std::error_code(), 1);
  server->add_peer_connections(first);
  server->add_peer_connections(gone);
  bool closed = false;
  server->close([&] { closed = true; });
  server->add_peer_connections(late);
  loop.run();
  CHECK_FALSE(closed);
  for (const auto& one : {first, gone, late}) CHECK(one->asked == 1);

  first->closed();
  late->closed();
  loop.run();
  CHECK_FALSE(closed);
  server->remove_peer_connections(*gone);
  loop.run();
  CHECK(closed);
}

TEST_CASE("server: a destroyed socket no longer counts as a connection of its server", "[net]") {
  TestLoop loop;
  const auto server = server_state(loop);
  server->listen({.host = "127.0.0.1"});
  auto [mine, other] = connected_pair();
  bool closed = false;
  std::shared_ptr<tine::net::SocketState> socket;
  const auto accepted = tine::net::make_socket(tine::core_of(loop), std::move(mine), server);
  CHECK(accepted->server() == server);
  server->close([&] { closed = true; });
  accepted->destroy();
  loop.run();
  CHECK(closed);
}

// --- a source of listeners

TEST_CASE("server: an error of the source is an error of the server", "[net]") {
  TestLoop loop;
  const auto source = install_source(loop, [] { return ListenerAnswer{.error = EADDRINUSE}; });
  Server server(loop);
  Watch watch;
  watch.follow(server);
  server.listen({.host = "127.0.0.1", .port = 80, .backlog = 7});
  loop.run();

  CHECK(watch.log == Log{"error"});
  CHECK(watch.errors.at(0) == system_code(EADDRINUSE));
  REQUIRE(source->queries.size() == 1);
  CHECK(source->queries[0].address == Address{Family::ipv4, "127.0.0.1", 80});
  CHECK(source->queries[0].port == 80);
  CHECK(source->queries[0].backlog == 7);
  CHECK(source->lease_ended);
}

TEST_CASE("server: it listens at a bound socket that the source provides", "[net]") {
  TestLoop loop;
  const auto source =
      install_source(loop, [] { return ListenerAnswer{.descriptor = bound_to_loopback()}; });
  Server server(loop);
  Watch client;
  server.on<"connection">([&](Socket socket) {
    socket.end("shared");
    server.close();
    CHECK(source->lease_ended);
  });
  server.on<"listening">([&] {
    CHECK_FALSE(source->lease_ended);
    client.follow(connect_to(loop, server));
  });
  server.listen();
  CHECK_FALSE(server.listening());
  loop.run();

  CHECK(client.data == "shared");
  CHECK_FALSE(source->queries.at(0).address);
}

TEST_CASE("server: a source gives connections to a server that has no socket", "[net]") {
  TestLoop loop;
  const Address address{Family::ipv4, "127.0.0.1", 8080};
  const auto source = install_source(loop, [&] { return ListenerAnswer{.address = address}; });
  Server server(loop);
  Watch watch;
  watch.follow(server);
  auto pair = connected_pair();
  server.on<"listening">([&] {
    CHECK(server.address() == address);
    CHECK(server.release() == -1);
    loop->after(std::chrono::milliseconds(1),
                [&] {  // until then the server keeps the loop running
                  CHECK(source->users.at(0).lock()->accepted(pair.first));
                })
        .unref();
  });
  server.on<"connection">([&](Socket socket) {
    socket.destroy();
    server.close();
  });
  server.listen({.port = 8080});
  loop.run();

  CHECK(watch.log == Log{"listening", "close"});
  CHECK(source->lease_ended);
}

TEST_CASE("server: if it is closed before its source answers, the socket is closed", "[net]") {
  TestLoop loop;
  const auto source =
      install_source(loop, [] { return ListenerAnswer{.descriptor = bound_to_loopback()}; });
  Server server(loop);
  Watch watch;
  watch.follow(server);
  server.listen({.port = 80});
  server.close();
  loop.run();

  CHECK(watch.log == Log{"close"});
  CHECK(source->lease_ended);
}

TEST_CASE("server: an exclusive server does not ask the source", "[net]") {
  TestLoop loop;
  const auto source = install_source(loop, [] { return ListenerAnswer{.error = EPERM}; });
  Server server(loop);
  server.listen({.host = "127.0.0.1", .exclusive = true});
  CHECK(server.listening());
  server.close();
  loop.run();
  CHECK(source->queries.empty());
}
