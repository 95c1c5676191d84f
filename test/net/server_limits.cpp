#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <sys/socket.h>
#include <unistd.h>

#include "net/objects.hpp"
#include "net/server_state.hpp"
#include "support/catch.hpp"
#include "support/invariants.hpp"
#include "support/no_descriptors.hpp"
#include "support/test_loop.hpp"

using tine::Address;
using tine::Server;
using tine::Socket;

TEST_CASE("server: connections beyond max_connections are closed, and reported", "[net]") {
  const std::size_t most = GENERATE(0U, 1U);
  TestLoop loop;
  Server server = loopback_server(loop);
  server.max_connections(most);
  CHECK(server.max_connections() == most);
  std::vector<Socket> taken;
  server.on<"connection">([&](Socket socket) { taken.push_back(socket); });
  const int clients = 3;
  std::vector<Address> dropped;
  std::vector<Socket> sockets;
  server.on<"drop">([&](const Address& from) {
    dropped.push_back(from);
    if (dropped.size() + most < clients) return;
    for (Socket& socket : taken) socket.destroy();
    server.close();
  });
  for (int i = 0; i < clients; ++i) {
    sockets.push_back(connect_to(loop, server));
    sockets.back().on<"error">(
        [](const tine::Error& error) { CHECK(error.code() == system_code(ECONNRESET)); });
    sockets.back().resume();
  }
  loop.run();

  CHECK(taken.size() == most);
  CHECK(dropped.size() == clients - most);
  CHECK(dropped.at(0).host == "127.0.0.1");
}

TEST_CASE("server: without free descriptors, it closes connections and goes on", "[net]") {
  if (sanitized) return;  // UBSan needs a pipe to see whether memory can be read
  TestLoop loop;
  Server server = loopback_server(loop);
  int served = 0;
  int dropped = 0;
  std::optional<NoDescriptors> limit;
  const int clients = 3;
  Watch watch;
  std::vector<Socket> sockets;
  server.on<"connection">([&](Socket socket) {
    ++served;
    socket.destroy();
    server.close();
  });
  server.on<"drop">([&](const Address& from) {
    CHECK(from.port != 0);
    if (++dropped < clients) return;
    limit.reset();
    sockets.push_back(connect_to(loop, server));
    sockets.back().resume();
  });
  for (int i = 0; i < clients; ++i) {
    sockets.push_back(connect_to(loop, server));
    sockets.back().on<"error">(
        [](const tine::Error& error) { CHECK(error.code() == system_code(ECONNRESET)); });
    sockets.back().resume();
  }
  limit.emplace();
  loop.run();

  CHECK(dropped == clients);
  CHECK(served == 1);
}

TEST_CASE("server: without even a spare descriptor, it waits until there is one", "[net]") {
  if (sanitized) return;  // UBSan needs a pipe to see whether memory can be read
  TestLoop loop;
  tine::base::Descriptor bound = bound_to_loopback();
  REQUIRE(::listen(bound.get(), 1) == 0);
  Socket client(loop);
  client.connect({.host = "127.0.0.1", .port = tine::net::local_address(bound.get())->port});
  client.resume();
  std::optional<NoDescriptors> limit(std::in_place);
  Server server = tine::net::make_server(tine::core_of(loop), std::move(bound))->handle();
  const std::uint64_t few_turns = 50;
  const std::uint64_t first_turn = tine::core_of(loop).turn();
  loop->after(std::chrono::milliseconds(150), [&] {
    CHECK(tine::core_of(loop).turn() - first_turn < few_turns);  // the loop does not spin
    limit.reset();
  });
  server.on<"connection">([&](Socket socket) {
    CHECK_FALSE(limit);
    socket.destroy();
    server.close();
  });
  loop.run();

  CHECK_FALSE(server.listening());
}

TEST_CASE("server: many connections let the rest of the loop run", "[net]") {
  TestLoop loop;
  Server server = loopback_server(loop);
  const int clients = 100;
  int connections = 0;
  int seen_by_others = clients;
  server.on<"connection">([&](Socket socket) {
    socket.destroy();
    if (++connections == 1) loop->post([&] { seen_by_others = connections; });
    if (connections == clients) server.close();
  });
  std::vector<Socket> sockets;
  for (int i = 0; i < clients; ++i) {
    sockets.push_back(connect_to(loop, server));
    sockets.back().on<"error">([] {});
    sockets.back().resume();
  }
  loop.run();

  CHECK(connections == clients);
  CHECK(seen_by_others < clients);
}
