#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "net/bound_socket.hpp"
#include "net/elsewhere.hpp"
#include "net/objects.hpp"
#include "net/server_state.hpp"
#include "net/socket_state.hpp"
#include "support/catch.hpp"
#include "support/test_loop.hpp"

using tine::Address;
using tine::Errc;
using tine::Family;
using tine::Server;
using tine::Socket;
using tine::net::ListenerAnswer;
using tine::net::ServerState;

namespace {

std::shared_ptr<ServerState> server_state(TestLoop& loop) {
  return std::make_shared<ServerState>(tine::core_of(loop));
}

// Both ends of a connection that no server has accepted.
std::pair<tine::uv::Descriptor, tine::uv::Descriptor> connected_pair() {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  return {tine::uv::Descriptor(ends[0]), tine::uv::Descriptor(ends[1])};
}

tine::uv::Descriptor bound_to_loopback() {
  return tine::net::bound_socket(*tine::net::ip_address("127.0.0.1", 0), {.type = SOCK_STREAM});
}

}  // namespace

TEST_CASE("server: a client is greeted, over TCP of both families", "[net]") {
  const std::string host = GENERATE("127.0.0.1", "::1", "localhost");
  TestLoop loop;
  Watch served;
  Watch client;
  Server server(loop);
  served.follow(server);
  server.on<"connection">([&](Socket socket) {
    CHECK(socket.remote_address().has_value());
    socket.end("Hello");
    server.close();
  });
  server.on<"listening">([&] {
    Socket socket(loop);
    client.follow(socket);
    socket.connect({.host = host, .port = server.address()->port});
  });
  server.listen({.host = host});
  CHECK(served.log.empty());
  loop.run();

  CHECK(client.data == "Hello");
  CHECK(client.log == Log{"connect", "end", "close"});
  CHECK(served.log == Log{"listening", "close"});
  CHECK_FALSE(server.listening());
  CHECK_FALSE(server.address());
}

TEST_CASE("server: without a host it listens on all addresses of both families", "[net]") {
  const bool only_ipv6 = GENERATE(false, true);
  TestLoop loop;
  Server server(loop);
  int connections = 0;
  server.on<"connection">([&](Socket socket) {
    ++connections;
    CHECK(socket.local_address()->port == server.address()->port);
    socket.resume();
  });
  server.listen({.ipv6_only = only_ipv6});
  CHECK(server.address()->host == "::");
  Watch by_ipv4;
  Watch by_ipv6;
  int open = 2;
  const auto visit = [&](const char* host, Watch& watch) {
    Socket socket(loop);
    watch.follow(socket);
    socket.connect({.host = host, .port = server.address()->port});
    socket.on<"close">([&] {
      if (--open == 0) server.close();
    });
    socket.end();
  };
  visit("127.0.0.1", by_ipv4);
  visit("::1", by_ipv6);
  loop.run();

  CHECK(by_ipv6.log == Log{"connect", "end", "close"});
  CHECK(by_ipv4.log == (only_ipv6 ? Log{"error", "close"} : Log{"connect", "end", "close"}));
  CHECK(connections == (only_ipv6 ? 1 : 2));
}

TEST_CASE("server: a port that is taken is an error, and the next listen() may do", "[net]") {
  TestLoop loop;
  Server first = loopback_server(loop);
  Server second(loop);
  Watch watch;
  watch.follow(second);
  second.on<"error">([&] {
    CHECK_FALSE(second.listening());
    second.listen({.host = "127.0.0.1"});
  });
  second.on<"listening">([&] {
    first.close();
    second.close();
  });
  second.listen({.host = "127.0.0.1", .port = first.address()->port});
  CHECK(watch.log.empty());
  loop.run();

  CHECK(watch.log == Log{"error", "listening", "close"});
  CHECK(watch.errors.at(0) == errno_code(EADDRINUSE));
  CHECK_THAT(watch.texts.at(0), ContainsSubstring("127.0.0.1:"));
}

TEST_CASE("server: reuse_port lets two servers listen at one port", "[net]") {
  TestLoop loop;
  Server first(loop);
  first.listen({.host = "127.0.0.1", .reuse_port = true});
  Server second(loop);
  second.listen({.host = "127.0.0.1", .port = first.address()->port, .reuse_port = true});

  CHECK(second.listening());
  first.close();
  second.close();
  loop.run();
}

TEST_CASE("server: an error without a listener comes out of run()", "[net]") {
  TestLoop loop;
  Server first = loopback_server(loop);
  Server second(loop);
  second.listen({.host = "127.0.0.1", .port = first.address()->port});
  CHECK_THROWS_AS(loop.run(), tine::Error);

  first.close();
  loop.run();
}

TEST_CASE("server: options that cannot be are errors", "[net]") {
  TestLoop loop;
  Folder folder;
  struct Row {
    tine::ListenOptions options;
    std::error_code error;
  };
  const std::vector<Row> rows{
      {{.host = "192.0.2.1"}, errno_code(EADDRNOTAVAIL)},
      {{.path = folder.at("no/such/folder")}, errno_code(ENOENT)},
      {{.path = folder.at(std::string(200, 'x'))}, errno_code(ENAMETOOLONG)},
      {{.descriptor = 9999}, errno_code(EBADF)},
  };
  for (const Row& row : rows) {
    Server server(loop);
    Watch watch;
    watch.follow(server);
    server.listen(row.options);
    loop.run();
    CHECK(watch.log == Log{"error"});
    CHECK(watch.errors == std::vector{row.error});
  }
}

TEST_CASE("server: a host that is not found is an error", "[net]") {
  TestLoop loop;
  Server server(loop);
  Watch watch;
  watch.follow(server);
  server.listen({.host = "no such host"});
  loop.run();

  CHECK(watch.log == Log{"error"});
  CHECK(watch.errors.at(0).category() == tine::error_category());
  CHECK_THAT(watch.texts.at(0), ContainsSubstring("no such host"));
}

TEST_CASE("server: closed while its host is looked up, it does not listen", "[net]") {
  TestLoop loop;
  Server server(loop);
  Watch watch;
  watch.follow(server);
  server.listen({.host = "localhost"});
  server.close();
  loop.run();

  CHECK(watch.log == Log{"close"});
}

TEST_CASE("server: the loop goes while a host is looked up", "[net]") {
  TestLoop loop;
  Server server(loop);
  server.listen({.host = "localhost"});
  loop.destroy();

  CHECK_FALSE(server.listening());
}

TEST_CASE("server: a second listen() is an error and changes nothing", "[net]") {
  TestLoop loop;
  Server server = loopback_server(loop);
  Watch watch;
  watch.follow(server);
  const auto address = server.address();
  server.listen({.host = "127.0.0.1"});
  server.on<"error">([&] { CHECK(server.address() == address); });
  server.on<"listening">([&] { server.close(); });
  loop.run();

  CHECK(watch.errors == std::vector{make_error_code(Errc::already_listening)});
  CHECK(watch.log == Log{"error", "listening", "close"});
}

TEST_CASE("server: a path has the permissions asked for, and goes with the server", "[net]") {
  const bool readable = GENERATE(false, true);
  const bool writable = GENERATE(false, true);
  TestLoop loop;
  Folder folder;
  const std::string path = folder.at("socket");
  Server server(loop);
  const mode_t mask = ::umask(077);
  server.listen({.path = path, .readable_all = readable, .writable_all = writable});
  ::umask(mask);

  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK(((status.st_mode & 0077) == ((readable ? 0044U : 0U) | (writable ? 0022U : 0U))));
  CHECK(server.address() == Address{Family::unix_path, path, 0});
  Watch client;
  server.on<"connection">([&](Socket socket) {
    socket.end("by path");
    server.close();
    CHECK(folder.empty());
  });
  Socket socket(loop);
  client.follow(socket);
  socket.connect({.path = path});
  loop.run();

  CHECK(client.data == "by path");
}

TEST_CASE("server: a path that somebody else has by now stays", "[net]") {
  TestLoop loop;
  Folder folder;
  Server old(loop);
  Server successor(loop);
  old.listen({.path = folder.at("socket")});
  std::filesystem::remove(folder.at("socket"));
  successor.listen({.path = folder.at("socket")});
  old.close();
  CHECK_FALSE(folder.empty());
  successor.close();
  CHECK(folder.empty());
  loop.run();
}

TEST_CASE("server: a name that begins with a zero byte is not in the file system", "[net]") {
  using namespace std::string_literals;
  const std::string name = "\0tine-test-"s + std::to_string(getpid());
  TestLoop loop;
  Server server(loop);
  server.on<"connection">([&](Socket socket) {
    socket.destroy();
    server.close();
  });
  server.listen({.path = name});
  CHECK(server.address()->host == name);
  Watch client;
  Socket socket(loop);
  client.follow(socket);
  socket.connect({.path = name});
  loop.run();

  CHECK(client.log == Log{"connect", "end", "close"});
}

TEST_CASE("server: a connection that nobody listens for is closed", "[net]") {
  TestLoop loop;
  Server server = loopback_server(loop);
  Watch client;
  Socket socket = connect_to(loop, server);
  client.follow(socket);
  socket.on<"close">([&] { server.close(); });
  loop.run();

  CHECK(client.log == Log{"connect", "end", "close"});
}

TEST_CASE("server: what is more than max_connections is dropped, and told", "[net]") {
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
        [](const tine::Error& error) { CHECK(error.code() == errno_code(ECONNRESET)); });
    sockets.back().resume();
  }
  loop.run();

  CHECK(taken.size() == most);
  CHECK(dropped.size() == clients - most);
  CHECK(dropped.at(0).host == "127.0.0.1");
}

TEST_CASE("server: close() waits for the connections that are open", "[net]") {
  TestLoop loop;
  Server server = loopback_server(loop);
  Watch watch;
  server.on<"close">([&] { watch.log.emplace_back("server closed"); });
  server.on<"connection">([&](Socket socket) {
    socket.on<"close">([&] { watch.log.emplace_back("socket closed"); });
    server.close([&] { watch.log.emplace_back("callback"); });
    CHECK_FALSE(server.listening());
    server.connections([&, socket](std::error_code error, std::size_t count) mutable {
      CHECK_FALSE(error);
      CHECK(count == 1);
      watch.log.emplace_back("counted");
      socket.destroy();
    });
  });
  Socket client = connect_to(loop, server);
  client.resume();
  loop.run();

  CHECK(watch.log == Log{"counted", "socket closed", "server closed", "callback"});
  server.close([&] { watch.log.emplace_back("again"); });
  loop.run();
  CHECK(watch.log.back() == "again");
}

TEST_CASE("server: one that does not listen closes too", "[net]") {
  TestLoop loop;
  Server server(loop);
  Watch watch;
  watch.follow(server);
  server.close([&] { watch.log.emplace_back("callback"); });
  CHECK(watch.log.empty());
  loop.run();

  CHECK(watch.log == Log{"close", "callback"});
  server.listen({.host = "127.0.0.1"});
  loop.run();
  CHECK_FALSE(server.listening());
}

TEST_CASE("server: never started, it belongs to its handles alone", "[net]") {
  TestLoop loop;
  const auto captured = std::make_shared<int>();
  {
    Server server(loop);
    server.on<"connection">([captured] {});
    server.max_connections(1);
    CHECK(captured.use_count() == 2);
  }
  CHECK(captured.use_count() == 1);
  loop.run();
}

TEST_CASE("server: it goes on without a handle, and drops its listeners after close", "[net]") {
  TestLoop loop;
  const auto captured = std::make_shared<int>();
  Socket client(loop);
  {
    Server server = loopback_server(loop);
    client.connect(port_of(server));
    server.on<"connection">([captured, server](Socket socket) mutable {
      socket.destroy();
      server.close();
    });
  }
  client.resume();
  loop.run();

  CHECK(captured.use_count() == 1);
}

TEST_CASE("server: a handle outlives the loop", "[net]") {
  TestLoop loop;
  Folder folder;
  Server server(loop);
  server.on<"connection">([server] {});
  server.listen({.path = folder.at("socket")});
  server.close([] { FAIL("the loop is gone"); });
  Server other(loop);
  other.listen({.path = folder.at("other")});
  loop.destroy();

  CHECK(folder.empty());
  CHECK_FALSE(other.listening());
  other.listen({.host = "127.0.0.1"});
  other.close();
  CHECK(other.release() == -1);
}

TEST_CASE("server: unref() lets the loop end", "[net]") {
  TestLoop loop;
  Server server = loopback_server(loop);
  server.unref();
  loop.run();
  CHECK(server.listening());

  server.ref();
  server.on<"connection">([&](Socket socket) {
    socket.destroy();
    server.close();
  });
  Socket client = connect_to(loop, server);
  client.resume();
  loop.run();
  CHECK_FALSE(server.listening());
}

TEST_CASE("server: what a connection listener throws leaves the others for the next run", "[net]") {
  TestLoop loop;
  Server server = loopback_server(loop);
  int calls = 0;
  server.on<"connection">([&](Socket socket) {
    socket.destroy();
    if (++calls == 1) throw std::runtime_error("listener");
    server.close();
  });
  std::vector<Socket> clients{connect_to(loop, server), connect_to(loop, server)};
  for (Socket& client : clients) client.resume();
  CHECK_THROWS_AS(loop.run(), std::runtime_error);
  CHECK(calls == 1);
  loop.run();

  CHECK(calls == 2);
}

namespace {

// Leaves this process no descriptor, as long as it lives.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const int next = ::dup(0);
    ::close(next);
    const rlimit none{static_cast<rlim_t>(next), before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

// The lowest free numbers are below the limit of NoDescriptors, if there are gaps.
std::vector<tine::uv::Descriptor> fill_gaps() {
  std::vector<tine::uv::Descriptor> fillers;
  const int highest = open_descriptors().rbegin()->first;
  for (int fd = 0; fd <= highest;) {
    fd = ::fcntl(0, F_DUPFD_CLOEXEC, 0);
    fillers.emplace_back(fd);
  }
  return fillers;
}

}  // namespace

TEST_CASE("server: out of descriptors, it turns clients away and goes on", "[net]") {
  TestLoop loop;
  Server server = loopback_server(loop);
  int served = 0;
  int dropped = 0;
  std::optional<NoDescriptors> limit;
  std::vector<tine::uv::Descriptor> fillers;
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
    fillers.clear();
    sockets.push_back(connect_to(loop, server));
    sockets.back().resume();
  });
  for (int i = 0; i < clients; ++i) {
    sockets.push_back(connect_to(loop, server));
    sockets.back().on<"error">(
        [](const tine::Error& error) { CHECK(error.code() == errno_code(ECONNRESET)); });
    sockets.back().resume();
  }
  fillers = fill_gaps();
  limit.emplace();
  loop.run();

  CHECK(dropped == clients);
  CHECK(served == 1);
}

TEST_CASE("server: without even a spare descriptor it waits until there is one", "[net]") {
  TestLoop loop;
  tine::uv::Descriptor bound = bound_to_loopback();
  REQUIRE(::listen(bound.get(), 1) == 0);
  Socket client(loop);
  client.connect({.host = "127.0.0.1", .port = tine::net::local_address(bound.get())->port});
  client.resume();
  std::vector<tine::uv::Descriptor> fillers = fill_gaps();
  std::optional<NoDescriptors> limit;
  limit.emplace();
  Server server = tine::net::make_server(tine::core_of(loop), std::move(bound))->handle();
  const std::uint64_t few_turns = 50;
  const std::uint64_t first_turn = tine::core_of(loop).turn();
  loop->after(std::chrono::milliseconds(150), [&] {
    CHECK(tine::core_of(loop).turn() - first_turn < few_turns);  // it does not spin
    limit.reset();
    fillers.clear();
  });
  server.on<"connection">([&](Socket socket) {
    CHECK_FALSE(limit);
    socket.destroy();
    server.close();
  });
  loop.run();

  CHECK_FALSE(server.listening());
}

TEST_CASE("server: a flood of connections leaves the loop its other work", "[net]") {
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

TEST_CASE("server: release() gives a listening socket away, adopt() takes it", "[net]") {
  TestLoop loop;
  Folder folder;
  Server first(loop);
  Watch watch;
  watch.follow(first);
  first.listen({.path = folder.at("socket")});
  const int fd = first.release();
  REQUIRE(fd >= 0);
  CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
  CHECK(first.release() == -1);
  loop.run();
  CHECK(watch.log == Log{"close"});
  CHECK_FALSE(folder.empty());

  Server second = Server::adopt(loop, fd);
  watch.follow(second);
  second.on<"connection">([&](Socket socket) {
    socket.end("adopted");
    second.close();
  });
  Socket client(loop);
  Watch by_client;
  by_client.follow(client);
  client.connect({.path = folder.at("socket")});
  loop.run();

  CHECK(by_client.data == "adopted");
  CHECK(watch.log == Log{"close", "listening", "close"});
}

TEST_CASE("server: adopt() refuses what is no stream socket, and leaves it alone", "[net]") {
  TestLoop loop;
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const int datagram = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

  CHECK_THROWS_AS(Server::adopt(loop, ends[0]), tine::Error);
  CHECK_THROWS_AS(Server::adopt(loop, datagram), tine::Error);
  CHECK_THROWS_AS(Server::adopt(loop, -1), tine::Error);
  for (const int fd : {ends[0], ends[1], datagram}) CHECK(::close(fd) == 0);
}

TEST_CASE("server: adopting a connection is an error of listen()", "[net]") {
  TestLoop loop;
  auto [mine, other] = connected_pair();
  Server server = Server::adopt(loop, mine.release());
  Watch watch;
  watch.follow(server);
  loop.run();

  CHECK(watch.log == Log{"error"});
  CHECK(watch.errors.at(0) == errno_code(EINVAL));
}

TEST_CASE("server: listen() takes a descriptor that is bound", "[net]") {
  TestLoop loop;
  tine::uv::Descriptor bound = bound_to_loopback();
  Server server(loop);
  server.listen({.descriptor = bound.release()});
  CHECK(server.address()->host == "127.0.0.1");
  server.close();
  loop.run();
}

// --- for the layers above

TEST_CASE("server: its key is what was given to listen()", "[net]") {
  TestLoop loop;
  Folder folder;
  const std::string path = folder.at("socket");
  struct Row {
    tine::ListenOptions options;
    std::string key;
  };
  const std::vector<Row> rows{{{.host = "127.0.0.1"}, "4:127.0.0.1:0"},
                              {{.host = "::1"}, "6:::1:0"},
                              {{}, "4:null:0"},
                              {{.path = path}, "-1:" + path + ":-1"}};
  for (const Row& row : rows) {
    const auto server = server_state(loop);
    server->listen(row.options);
    CHECK(server->key() == row.key);
    server->close({});
    loop.run();
  }
}

TEST_CASE("server: a duplicate listens on when the server is closed", "[net]") {
  TestLoop loop;
  const auto server = server_state(loop);
  CHECK_THROWS_AS(server->duplicate(), tine::Error);
  server->listen({.host = "127.0.0.1"});
  const auto address = server->address();
  tine::uv::Descriptor copy = server->duplicate();
  CHECK((fcntl(copy.get(), F_GETFD) & FD_CLOEXEC) != 0);
  server->close({});
  loop.run();

  CHECK(tine::net::local_address(copy.get()) == address);
  CHECK_THROWS_AS(server->duplicate(), tine::Error);
}

TEST_CASE("server: a connection that is handed to it is counted and emitted", "[net]") {
  TestLoop loop;
  const auto server = server_state(loop);
  auto [mine, other] = connected_pair();
  CHECK_FALSE(server->accepted(mine));  // it does not listen
  CHECK(mine.get() >= 0);
  server->listen({.host = "127.0.0.1"});
  server->set_max_connections(1);
  std::optional<Socket> given;
  server->handle().on<"connection">([&](Socket socket) {
    given = socket;
    auto [late, peer] = connected_pair();
    CHECK_FALSE(server->accepted(late));  // as many as it may have
    CHECK(late.get() >= 0);
    server->count_connections([&](std::error_code, std::size_t count) {
      CHECK(count == 1);
      given->destroy();
      server->close({});
    });
  });
  CHECK(server->accepted(mine));
  CHECK(mine.get() == -1);
  CHECK_FALSE(given);  // not from inside
  loop.run();
  CHECK(given);
}

TEST_CASE("server: a connection handed to one that nobody listens to is closed", "[net]") {
  TestLoop loop;
  const auto server = server_state(loop);
  server->listen({.host = "127.0.0.1"});
  auto [mine, other] = connected_pair();
  CHECK(server->accepted(mine));
  char byte = 0;
  CHECK(::read(other.get(), &byte, 1) == 0);

  // And one whose listener goes before it is told.
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

// Connections that another process has, as far as the test says so.
struct FakeElsewhere final : tine::net::Elsewhere {
  FakeElsewhere(TestLoop& loop, std::error_code its_error, std::size_t connections)
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

TEST_CASE("server: connections elsewhere count, the first error of one instead", "[net]") {
  TestLoop loop;
  const auto server = server_state(loop);
  const auto two = std::make_shared<FakeElsewhere>(loop, std::error_code(), 2);
  const auto broken = std::make_shared<FakeElsewhere>(loop, errno_code(EPIPE), 0);
  ExpectCalls counted(2);
  server->add_elsewhere(two);
  server->count_connections([&](std::error_code error, std::size_t count) {
    counted();
    CHECK_FALSE(error);
    CHECK(count == 2);
  });
  server->add_elsewhere(broken);
  server->count_connections([&](std::error_code error, std::size_t count) {
    counted();
    CHECK(error == errno_code(EPIPE));
    CHECK(count == 0);
  });
  CHECK(counted.count() == 0);
  loop.run();
}

TEST_CASE("server: close() waits for connections elsewhere", "[net]") {
  TestLoop loop;
  const auto server = server_state(loop);
  server->listen({.host = "127.0.0.1"});
  const auto first = std::make_shared<FakeElsewhere>(loop, std::error_code(), 1);
  const auto gone = std::make_shared<FakeElsewhere>(loop, std::error_code(), 1);
  const auto late = std::make_shared<FakeElsewhere>(loop, std::error_code(), 1);
  server->add_elsewhere(first);
  server->add_elsewhere(gone);
  bool closed = false;
  server->close([&] { closed = true; });
  server->add_elsewhere(late);
  loop.run();
  CHECK_FALSE(closed);
  for (const auto& one : {first, gone, late}) CHECK(one->asked == 1);

  first->closed();
  late->closed();
  loop.run();
  CHECK_FALSE(closed);
  server->remove_elsewhere(*gone);
  loop.run();
  CHECK(closed);
}

TEST_CASE("server: a socket that is released counts among its server's no more", "[net]") {
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

TEST_CASE("server: a source's error is the server's", "[net]") {
  TestLoop loop;
  const auto source = install_source(loop, [] { return ListenerAnswer{.error = EADDRINUSE}; });
  Server server(loop);
  Watch watch;
  watch.follow(server);
  server.listen({.host = "127.0.0.1", .port = 80, .backlog = 7});
  loop.run();

  CHECK(watch.log == Log{"error"});
  CHECK(watch.errors.at(0) == errno_code(EADDRINUSE));
  REQUIRE(source->queries.size() == 1);
  CHECK(source->queries[0].address == Address{Family::ipv4, "127.0.0.1", 80});
  CHECK(source->queries[0].port == 80);
  CHECK(source->queries[0].backlog == 7);
  CHECK(source->lease_ended);
}

TEST_CASE("server: a source gives a socket that is bound, to listen on", "[net]") {
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

TEST_CASE("server: a source hands connections to a server that has no socket", "[net]") {
  TestLoop loop;
  const Address address{Family::ipv4, "127.0.0.1", 8080};
  const auto source = install_source(loop, [&] { return ListenerAnswer{.address = address}; });
  Server server(loop);
  Watch watch;
  watch.follow(server);
  auto [mine, other] = connected_pair();
  server.on<"listening">([&] {
    CHECK(server.address() == address);
    CHECK(server.release() == -1);
    loop->after(std::chrono::milliseconds(1),
                [&] {  // meanwhile the server keeps the loop alive
                  CHECK(source->servers.at(0).lock()->accepted(mine));
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

TEST_CASE("server: closed before its source answers, it lets go what comes", "[net]") {
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

TEST_CASE("server: an exclusive one does not ask the source", "[net]") {
  TestLoop loop;
  const auto source = install_source(loop, [] { return ListenerAnswer{.error = EPERM}; });
  Server server(loop);
  server.listen({.host = "127.0.0.1", .exclusive = true});
  CHECK(server.listening());
  server.close();
  loop.run();
  CHECK(source->queries.empty());
}
