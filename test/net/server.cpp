#include <cerrno>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/objects.hpp"
#include "support/catch.hpp"
#include "support/test_loop.hpp"

using tine::Address;
using tine::Errc;
using tine::Family;
using tine::Server;
using tine::Socket;

TEST_CASE("server: a client gets a greeting, over TCP of both families", "[net]") {
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

TEST_CASE("server: a port in use is an error, and the next listen() may succeed", "[net]") {
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
  CHECK(watch.errors.at(0) == system_code(EADDRINUSE));
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

TEST_CASE("server: run() throws an error that has no listener", "[net]") {
  TestLoop loop;
  Server first = loopback_server(loop);
  Server second(loop);
  second.listen({.host = "127.0.0.1", .port = first.address()->port});
  CHECK_THROWS_AS(loop.run(), tine::Error);

  first.close();
  loop.run();
}

TEST_CASE("server: invalid options are errors", "[net]") {
  TestLoop loop;
  Folder folder;
  struct Row {
    tine::ListenOptions options;
    std::error_code error;
  };
  const std::vector<Row> rows{
      {{.host = "192.0.2.1"}, system_code(EADDRNOTAVAIL)},
      {{.path = folder.at("no/such/folder")}, system_code(ENOENT)},
      {{.path = folder.at(std::string(200, 'x'))}, system_code(ENAMETOOLONG)},
      {{.descriptor = 9999}, system_code(EBADF)},
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

TEST_CASE("server: a host that cannot be found is an error", "[net]") {
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

TEST_CASE("server: close() during the look-up of a host prevents listening", "[net]") {
  TestLoop loop;
  Server server(loop);
  Watch watch;
  watch.follow(server);
  server.listen({.host = "localhost"});
  server.close();
  loop.run();

  CHECK(watch.log == Log{"close"});
}

TEST_CASE("server: the loop may be destroyed during the look-up of a host", "[net]") {
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

TEST_CASE("server: a path has the given permissions, and is removed with the server", "[net]") {
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

TEST_CASE("server: a NUL in a host or a path is refused, with or without a primary", "[net]") {
  using namespace std::string_literals;
  const bool has_primary = GENERATE(false, true);
  TestLoop loop;
  Folder folder;
  const auto source =
      has_primary ? install_source(loop, [] { return tine::net::ListenerAnswer{}; }) : nullptr;
  const std::vector<tine::ListenOptions> rows{{.host = "127.0.0.1\0.example"s},
                                              {.path = folder.at("socket") + "\0x"s}};
  for (const tine::ListenOptions& options : rows) {
    Server server(loop);
    Watch watch;
    watch.follow(server);
    server.listen(options);
    loop.run();
    CHECK(watch.log == Log{"error"});
    CHECK(watch.errors.at(0) == Errc::invalid_argument);
    CHECK_THAT(watch.texts.at(0), ContainsSubstring("\\0"));
  }
  CHECK_FALSE(std::filesystem::exists(folder.at("socket")));
  if (source) CHECK(source->queries.empty());
}

TEST_CASE("server: an error has the whole abstract name", "[net]") {
  const std::string name = std::string(1, '\0') + "tine-test-" + std::to_string(::getpid());
  TestLoop loop;
  Server first(loop);
  first.listen({.path = name});
  Server second(loop);
  Watch watch;
  watch.follow(second);
  second.on<"error">([&] { first.close(); });
  second.listen({.path = name});
  loop.run();
  CHECK(watch.errors.at(0) == system_code(EADDRINUSE));
  CHECK_THAT(watch.texts.at(0), StartsWith("bind \\0" + name.substr(1) + ":"));
}

TEST_CASE("server: a relative path is removed, even if the current directory has changed",
          "[net]") {
  struct Directory {
    ~Directory() { std::filesystem::current_path(before); }
    std::filesystem::path before = std::filesystem::current_path();
  } directory;
  TestLoop loop;
  Folder first;
  Folder second;
  std::filesystem::current_path(first.path());
  Server server(loop);
  server.listen({.path = "socket"});
  REQUIRE(std::filesystem::exists(first.at("socket")));
  std::filesystem::current_path(second.path());
  server.close();
  loop.run();

  CHECK_FALSE(std::filesystem::exists(first.at("socket")));
}

TEST_CASE("server: a path that another server uses by then stays", "[net]") {
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

TEST_CASE("server: a connection is closed if nobody listens for it", "[net]") {
  TestLoop loop;
  Server server = loopback_server(loop);
  Watch client;
  Socket socket = connect_to(loop, server);
  client.follow(socket);
  socket.on<"close">([&] { server.close(); });
  loop.run();

  CHECK(client.log == Log{"connect", "end", "close"});
}

TEST_CASE("server: close() waits for open connections", "[net]") {
  TestLoop loop;
  Server server = loopback_server(loop);
  Watch watch;
  server.on<"close">([&] { watch.log.emplace_back("server closed"); });
  server.on<"connection">([&](Socket socket) {
    socket.on<"close">([&] { watch.log.emplace_back("socket closed"); });
    server.close([&] { watch.log.emplace_back("callback"); });
    CHECK_FALSE(server.listening());
    server.connections([&, socket](std::error_code error, std::size_t count) {
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

TEST_CASE("server: a server that does not listen can be closed too", "[net]") {
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

TEST_CASE("server: before it is started, only its handles own it", "[net]") {
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

TEST_CASE("server: it goes on without handles, and drops its listeners after close", "[net]") {
  TestLoop loop;
  const auto captured = std::make_shared<int>();
  Socket client(loop);
  {
    Server server = loopback_server(loop);
    client.connect(port_of(server));
    server.on<"connection">([captured, server](Socket socket) {
      socket.destroy();
      server.close();
    });
  }
  client.resume();
  loop.run();

  CHECK(captured.use_count() == 1);
}

TEST_CASE("server: a handle may outlive the loop", "[net]") {
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

TEST_CASE("server: if a listener throws, the next run accepts connections of other servers",
          "[net]") {
  TestLoop loop;
  std::vector<Server> servers{loopback_server(loop), loopback_server(loop)};
  std::vector<tine::base::Descriptor> clients;
  int came = 0;
  for (Server& server : servers) {
    const auto address = tine::net::ip_address("127.0.0.1", server.address()->port);
    clients.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(::connect(clients.back().get(), address->get(), address->size) == 0);
    server.on<"connection">([&came, server](Socket socket) {
      ++came;
      socket.destroy();
      server.close();
      throw std::runtime_error("listener");
    });
  }
  for (int run = 1; run <= 2; ++run) {
    CHECK_THROWS_WITH(loop.run(), "listener");
    CHECK(came == run);
  }
  loop.run();
}

TEST_CASE("server: if a connection listener throws, the next run emits the other connections",
          "[net]") {
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

TEST_CASE("server: release() gives the listening socket away, adopt() takes it", "[net]") {
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

TEST_CASE("server: adopt() refuses a descriptor that is no stream socket, and leaves it open",
          "[net]") {
  TestLoop loop;
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const int datagram = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

  CHECK_THROWS_AS(Server::adopt(loop, ends[0]), tine::Error);
  CHECK_THROWS_AS(Server::adopt(loop, datagram), tine::Error);
  CHECK_THROWS_AS(Server::adopt(loop, -1), tine::Error);
  for (const int fd : {ends[0], ends[1], datagram}) CHECK(::close(fd) == 0);
}

TEST_CASE("server: to adopt a connection is an error of listen()", "[net]") {
  TestLoop loop;
  auto [mine, other] = connected_pair();
  Server server = Server::adopt(loop, mine.release());
  Watch watch;
  watch.follow(server);
  loop.run();

  CHECK(watch.log == Log{"error"});
  CHECK(watch.errors.at(0) == system_code(EINVAL));
}

TEST_CASE("server: listen() takes a bound descriptor", "[net]") {
  TestLoop loop;
  tine::base::Descriptor bound = bound_to_loopback();
  Server server(loop);
  server.listen({.descriptor = bound.release()});
  CHECK(server.address()->host == "127.0.0.1");
  server.close();
  loop.run();
}

TEST_CASE("server: an empty handle does not listen and calls nobody", "[net]") {
  const Server server;
  CHECK_FALSE(server);
  const auto captured = std::make_shared<int>();
  server.on<"connection">([captured] { FAIL("called"); });
  server.connections([captured](std::error_code, std::size_t) { FAIL("called"); });
  server.close([captured] { FAIL("called"); });
  CHECK(captured.use_count() == 1);
  server.listen();
  server.max_connections(1);
  server.ref();
  server.unref();
  CHECK(server.release() == -1);
  CHECK_FALSE(server.listening());
  CHECK_FALSE(server.address());
  CHECK_FALSE(server.max_connections());
}
