#include <cerrno>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <uv.h>

#include "base/sockets.hpp"
#include "net/bound_socket.hpp"
#include "net/objects.hpp"
#include "net/server_state.hpp"
#include "net/socket_state.hpp"
#include "support/catch.hpp"
#include "support/test_loop.hpp"

using namespace std::chrono_literals;
using tine::Errc;
using tine::Server;
using tine::Socket;
using tine::net::ip_address;
using tine::net::path_address;
using tine::net::SocketAddress;
using tine::net::SocketState;

namespace {

// Both ends of a connection: the client and the socket of the server.
struct Connection {
  Connection() : server(loopback_server(loop)), client(connect_to(loop, server)) {
    server.on<"connection">([this](Socket socket) {
      served = socket;
      server.close();
      meet();
    });
    client.once<"connect">([this] {
      connected = true;
      meet();
    });
  }
  void meet() {
    if (connected && served && met) std::exchange(met, nullptr)();
  }
  // Runs the loop. Calls `then` when both ends are connected.
  void run(std::function<void()> then) {
    met = std::move(then);
    loop.run();
  }

  TestLoop loop;
  Server server;
  Socket client;
  Socket served;
  bool connected = false;
  std::function<void()> met;
};

}  // namespace

TEST_CASE("socket: bytes that are written and ended before it is connected arrive", "[net]") {
  TestLoop loop;
  Server server = loopback_server(loop);
  Watch served;
  server.on<"connection">([&](Socket socket) {
    served.follow(socket);
    server.close();
  });
  Socket client(loop);
  Watch watch;
  watch.follow(client);
  CHECK(client.write("first ", watch.result("written")));
  CHECK(client.queued_bytes() == 6);
  CHECK_FALSE(client.readable());
  client.connect(port_of(server));
  CHECK(client.connecting());
  client.end("last");
  CHECK_FALSE(client.writable());
  loop.run();

  CHECK(served.data == "first last");
  CHECK(watch.log == Log{"connect", "written", "end", "close"});
  CHECK_FALSE(watch.results.at(0));
  CHECK_FALSE(client.connecting());
}

TEST_CASE("socket: the addresses of both ends are known, also after close", "[net]") {
  Connection pair;
  CHECK_FALSE(Socket(pair.loop).remote_address());
  pair.run([&] {
    CHECK(pair.client.local_address() == pair.served.remote_address());
    CHECK(pair.client.remote_address() == pair.served.local_address());
    CHECK(pair.client.remote_address()->host == "127.0.0.1");
    pair.client.destroy();
    pair.served.resume();
  });
  CHECK(pair.client.remote_address()->host == "127.0.0.1");
}

TEST_CASE("socket: a failed connect() is an error, then close", "[net]") {
  TestLoop loop;
  Folder folder;
  tine::base::Descriptor bound =
      tine::net::bound_socket(*tine::net::ip_address("127.0.0.1", 0), {.type = SOCK_STREAM});
  const std::uint16_t port = tine::net::local_address(bound.get())->port;
  struct Row {
    tine::ConnectOptions options;
    std::error_code error;
    std::string text;
  };
  const std::vector<Row> rows{
      {{.host = "127.0.0.1", .port = port}, system_code(ECONNREFUSED), "connect 127.0.0.1:"},
      {{.host = "localhost", .port = port}, system_code(ECONNREFUSED), "connect localhost:"},
      {{.path = folder.at("none")}, system_code(ENOENT), "connect /"},
      {{.path = std::string(200, 'x')}, system_code(ENAMETOOLONG), "connect x"},
  };
  for (const Row& row : rows) {
    Socket socket(loop);
    Watch watch;
    watch.follow(socket);
    socket.write("lost", watch.result("written"));
    socket.connect(row.options);
    CHECK(watch.log.empty());
    loop.run();
    CHECK(watch.log == Log{"written", "error", "close"});
    CHECK(watch.results == std::vector{row.error});
    CHECK(watch.errors == std::vector{row.error});
    CHECK_THAT(watch.texts.at(0), StartsWith(row.text));
  }
}

TEST_CASE("socket: a NUL in a host or a path is refused", "[net]") {
  using namespace std::string_literals;
  TestLoop loop;
  Folder folder;
  Server by_path(loop);
  by_path.listen({.path = folder.at("socket")});
  Server by_port = loopback_server(loop);
  by_port.on<"connection">([] { FAIL("what it is cut to was connected"); });
  by_path.on<"connection">([] { FAIL("what it is cut to was connected"); });
  const std::uint16_t port = by_port.address()->port;
  struct Row {
    tine::ConnectOptions options;
    std::string text;
  };
  const std::vector<Row> rows{
      {{.host = "127.0.0.1\0.trusted.example"s, .port = port},
       "connect 127.0.0.1\\0.trusted.example:"},
      {{.host = "localhost\0.example"s, .port = port}, "connect localhost\\0.example:"},
      {{.path = folder.at("socket") + "\0"s}, "connect " + folder.at("socket") + "\\0:"},
  };
  for (const Row& row : rows) {
    Socket socket(loop);
    Watch watch;
    watch.follow(socket);
    socket.on<"close">([&] { loop->stop(); });
    socket.connect(row.options);
    loop.run();
    CHECK(watch.log == Log{"error", "close"});
    CHECK(watch.errors.at(0) == Errc::invalid_argument);
    CHECK_THAT(watch.texts.at(0), StartsWith(row.text));
  }
  by_port.close();
  by_path.close();
  loop.run();
}

TEST_CASE("socket: an error has the whole abstract name", "[net]") {
  using namespace std::string_literals;
  TestLoop loop;
  Socket socket(loop);
  Watch watch;
  watch.follow(socket);
  socket.connect({.path = "\0tine-no-such-name"s});
  loop.run();
  CHECK(watch.errors.at(0) == system_code(ECONNREFUSED));
  CHECK_THAT(watch.texts.at(0), StartsWith("connect \\0tine-no-such-name:"));
}

TEST_CASE("socket: a host that cannot be found is an error", "[net]") {
  TestLoop loop;
  Socket socket(loop);
  Watch watch;
  watch.follow(socket);
  socket.connect({.host = "no such host", .port = 80});
  loop.run();

  CHECK(watch.log == Log{"error", "close"});
  CHECK(watch.errors.at(0).category() == tine::error_category());
}

TEST_CASE("socket: several addresses are tried one after the other", "[net]") {
  const bool one_works = GENERATE(false, true);
  TestLoop loop;
  Server server = loopback_server(loop);
  server.on<"connection">([&](Socket socket) { socket.destroy(); });
  const std::uint16_t port = server.address()->port;
  std::deque<SocketAddress> addresses{*ip_address("::1", port), path_address("/no/such/path")};
  if (one_works) addresses.push_back(*ip_address("127.0.0.1", port));
  const auto client = std::make_shared<SocketState>(tine::core_of(loop));
  Watch watch;
  watch.follow(client->handle());
  client->handle().on<"close">([&] { server.close(); });
  client->connect_to(std::move(addresses), "somewhere");
  loop.run();

  CHECK(watch.log == (one_works ? Log{"connect", "end", "close"} : Log{"error", "close"}));
  if (one_works) return;
  CHECK(watch.errors.at(0) == system_code(ENOENT));
  CHECK_THAT(watch.texts.at(0), StartsWith("connect somewhere"));
}

TEST_CASE("socket: run() throws an error of connect() that has no listener", "[net]") {
  TestLoop loop;
  Socket socket(loop);
  socket.connect({.path = "/no/such/path"});
  CHECK_THROWS_AS(loop.run(), tine::Error);
  loop.run();
  CHECK_FALSE(socket.writable());
}

TEST_CASE("socket: a second connect() is an error and changes nothing", "[net]") {
  Connection pair;
  Watch watch;
  watch.follow(pair.client);
  pair.client.connect({.path = "/no/such/path"});
  pair.run([&] {
    pair.client.connect({.path = "/no/such/path"});
    pair.served.end("still there");
    pair.served.resume();
  });

  CHECK(watch.log == Log{"error", "connect", "error", "end", "close"});
  CHECK(watch.errors.at(0) == system_code(EISCONN));
  CHECK(watch.data == "still there");
}

TEST_CASE("socket: destroy() during connect() closes it", "[net]") {
  const bool by_name = GENERATE(false, true);
  TestLoop loop;
  Server server = loopback_server(loop);
  Socket client(loop);
  Watch watch;
  watch.follow(client);
  client.write("lost", watch.result("written"));
  client.connect({.host = by_name ? "localhost" : "127.0.0.1", .port = server.address()->port});
  client.destroy();
  client.on<"close">([&] { server.close(); });
  loop.run();

  CHECK(watch.log == Log{"written", "close"});
  CHECK(watch.results.at(0) == system_code(ECANCELED));
}

TEST_CASE("socket: the loop may be destroyed during connect()", "[net]") {
  const std::string host = GENERATE("localhost", "127.0.0.1");
  TestLoop loop;
  Server server = loopback_server(loop);
  Socket client(loop);
  client.on<"connect">([client] { FAIL("the loop is gone"); });
  client.write("lost", [](std::error_code) { FAIL("the loop is gone"); });
  client.connect({.host = host, .port = server.address()->port});
  loop.destroy();

  CHECK_FALSE(client.writable());
  client.connect({});
  client.destroy();
  client.timeout(1ms);
  CHECK(client.release() == -1);
}

TEST_CASE("socket: before connect(), only its handles own it", "[net]") {
  TestLoop loop;
  const auto captured = std::make_shared<int>();
  {
    Socket socket(loop);
    socket.on<"data">([captured] {});
    socket.write("nowhere", [captured](std::error_code) {});
    socket.timeout(1h);
  }
  CHECK(captured.use_count() == 1);
  loop.run();
}

TEST_CASE("socket: destroy() before connect() closes it", "[net]") {
  TestLoop loop;
  Socket socket(loop);
  Watch watch;
  watch.follow(socket);
  socket.destroy();
  loop.run();

  CHECK(watch.log == Log{"close"});
  socket.connect({.host = "127.0.0.1", .port = 1});
  loop.run();
  CHECK(watch.log == Log{"close"});
}

TEST_CASE("socket: bytes go both ways, and its end is answered", "[net]") {
  Connection pair;
  Watch by_client;
  Watch by_server;
  const std::string question = bytes_of(plenty);
  by_client.follow(pair.client);
  pair.run([&] {
    by_server.follow(pair.served);
    CHECK_FALSE(pair.client.write(question, by_client.result("written")));
    pair.client.end();
    pair.served.write("answer");
  });

  CHECK(by_server.data == question);
  CHECK(by_client.data == "answer");
  CHECK(by_client.log == Log{"connect", "written", "end", "close"});
  CHECK(by_server.log == Log{"end", "close"});
}

TEST_CASE("socket: if the peer does not read, the writer waits until it does", "[net]") {
  Connection pair;
  Watch watch;
  std::size_t received = 0;
  pair.run([&] {
    pair.served.on<"data">([&](std::string_view bytes) { received += bytes.size(); });
    pair.served.pause();
    pair.client.on<"drain">([&] {
      CHECK(received > 0);
      watch.log.emplace_back("drain");
      pair.client.end();
      pair.client.resume();
    });
    CHECK_FALSE(pair.client.write(bytes_of(plenty)));
    pair.loop->after(20ms, [&] {
      CHECK(received == 0);
      CHECK(pair.client.queued_bytes() > 0);
      pair.served.resume();
    });
  });

  CHECK(watch.log == Log{"drain"});
  CHECK(received == plenty);
}

TEST_CASE("socket: without a reader, an end is noticed only if no unread bytes are before it",
          "[net]") {
  const bool bytes_before = GENERATE(false, true);
  Connection pair;
  Watch watch;
  pair.run([&] {
    watch.log_events<"end">(pair.served);
    watch.log_events<"close">(pair.served);
    if (bytes_before) pair.client.write("unread");
    pair.client.end();
    pair.served.end();
    pair.client.on<"close">([&] { watch.log.emplace_back("client closed"); });
  });
  CHECK(watch.log == (bytes_before ? Log{"client closed"} : Log{"end", "close", "client closed"}));

  pair.served.resume();
  pair.loop.run();
  CHECK(watch.log.size() == 3);
}

TEST_CASE("socket: a paused socket does not notice the end of its peer", "[net]") {
  Connection pair;
  Watch watch;
  pair.run([&] {
    watch.log_events<"end">(pair.served);
    pair.served.pause();
    pair.client.end();
    pair.client.unref();
    pair.loop->after(20ms, [] {});
  });
  CHECK(watch.log.empty());
  pair.client.ref();
  pair.served.resume();
  pair.loop.run();
  CHECK(watch.log == Log{"end"});
}

TEST_CASE("socket: destroy() in any listener closes it", "[net]") {
  const std::string where = GENERATE("connect", "data", "end");
  Connection pair;
  const auto captured = std::make_shared<int>();
  Watch watch;
  watch.log_events<"close">(pair.client);
  const auto at = [&](const std::string& name) {
    watch.log.push_back(name);
    if (name == where) pair.client.destroy();
  };
  pair.client.on<"connect">([&, captured] { at("connect"); });
  pair.client.on<"data">([&, captured] { at("data"); });
  pair.client.on<"end">([&, captured] { at("end"); });
  pair.run([&] {
    pair.served.on<"error">([] {});
    pair.served.end("bytes");
    pair.served.resume();
  });

  CHECK(watch.log.at(watch.log.size() - 2) == where);
  CHECK(watch.log.back() == "close");
  CHECK(captured.use_count() == 1);
}

TEST_CASE("socket: timeout reports silence once, and again after the next bytes", "[net]") {
  Connection pair;
  Watch watch;
  watch.follow(pair.client);
  int timeouts = 0;
  pair.run([&] {
    pair.served.resume();
    pair.client.timeout(20ms);
    pair.client.on<"timeout">([&] {
      if (++timeouts == 1) {
        pair.client.write("bytes");
      } else {
        pair.client.timeout(0ms);
        pair.client.end();
      }
    });
  });

  CHECK(timeouts == 2);
  CHECK(watch.log == Log{"connect", "timeout", "timeout", "end", "close"});
}

TEST_CASE("socket: bytes postpone the timeout", "[net]") {
  Connection pair;
  const auto idle = 300ms;
  const int writes = 10;
  // The times are those of the loop, because bytes may come late on a busy machine.
  const auto now = [&] { return std::chrono::milliseconds(uv_now(pair.loop->native())); };
  auto came = now();
  pair.client.on<"data">([&] { came = now(); });
  pair.client.on<"timeout">([&] { CHECK(now() - came > idle / 2); });
  int written = 0;
  std::function<void()> write = [&] {
    if (++written > writes) return pair.served.end();
    pair.served.write("bytes");
    pair.loop->after(idle / writes * 2, write);
  };
  pair.run([&] {
    pair.served.resume();
    pair.client.timeout(idle);
    came = now();
    write();
  });
  CHECK(written > writes);
}

TEST_CASE("socket: a timeout does not keep the loop running", "[net]") {
  Connection pair;
  pair.run([&] {
    pair.client.timeout(1h);
    pair.client.end();
    pair.client.resume();
    pair.served.resume();
  });
}

TEST_CASE("socket: no_delay and keep_alive may be set before or after connect()", "[net]") {
  Connection pair;
  const auto option = [](int fd, int level, int name) {
    return tine::base::socket_option(fd, level, name).value();
  };
  pair.client.no_delay();
  pair.client.keep_alive(true, 77s);
  pair.run([&] {
    pair.served.no_delay();
    pair.served.no_delay(false);
    pair.served.keep_alive();
    const int client = pair.client.release();
    const int served = pair.served.release();
    CHECK(option(client, IPPROTO_TCP, TCP_NODELAY) != 0);
    CHECK(option(client, SOL_SOCKET, SO_KEEPALIVE) != 0);
    CHECK(option(client, IPPROTO_TCP, TCP_KEEPIDLE) == 77);
    CHECK(option(served, IPPROTO_TCP, TCP_NODELAY) == 0);
    CHECK(option(served, SOL_SOCKET, SO_KEEPALIVE) != 0);
    ::close(client);
    ::close(served);
  });
}

TEST_CASE("socket: unref() lets the loop end during reading", "[net]") {
  Connection pair;
  pair.client.resume();
  pair.client.unref();
  pair.run([&] { pair.served.unref(); });
  CHECK(pair.client.readable());

  pair.client.ref();
  pair.served.destroy();
  pair.loop.run();
  CHECK_FALSE(pair.client.readable());
}

TEST_CASE("socket: it cannot be released while bytes are unwritten", "[net]") {
  TestLoop loop;
  auto [mine, peer] = connected_pair();
  Socket socket = Socket::adopt(loop, mine.release());
  Socket reader = Socket::adopt(loop, peer.release());
  const std::string bytes = bytes_of(plenty);
  std::string read;
  reader.on<"data">([&](std::string_view some) { read += some; });
  reader.pause();
  ExpectCalls written(1);
  socket.write(bytes.substr(1), [&](std::error_code error) {
    written();
    CHECK_FALSE(error);
    const int fd = socket.release();
    CHECK(fd >= 0);
    ::close(fd);
  });
  CHECK(error_of([&] { static_cast<void>(socket.release()); }) == system_code(EAGAIN));
  CHECK(socket.writable());
  reader.resume();
  loop.run();

  CHECK(read == bytes.substr(1));
}

// Both sockets are read in the same turn. If the first listener throws, the bytes of the other
// socket wait.
TEST_CASE("socket: it cannot be released while bytes are undelivered", "[net]") {
  struct End {
    tine::base::Descriptor peer;
    Socket socket;
    std::string read{};
  };
  TestLoop loop;
  std::deque<End> ends;
  for (int i = 0; i < 2; ++i) {
    auto [mine, peer] = connected_pair();
    End& end = ends.emplace_back(End{std::move(peer), Socket::adopt(loop, mine.release())});
    end.socket.on<"data">([&](std::string_view bytes) {
      end.read += bytes;
      throw std::runtime_error("listener");
    });
    REQUIRE(::write(end.peer.get(), "x", 1) == 1);
  }
  CHECK_THROWS_AS(loop.run(), std::runtime_error);
  End& undelivered = ends.front().read.empty() ? ends.front() : ends.back();
  REQUIRE(undelivered.read.empty());
  CHECK(error_of([&] { static_cast<void>(undelivered.socket.release()); }) == system_code(EAGAIN));
  CHECK_THROWS_AS(loop.run(), std::runtime_error);
  CHECK(undelivered.read == "x");
  for (End& end : ends) end.socket.destroy();
  loop.run();
}

TEST_CASE("socket: after release() its connection goes on without it", "[net]") {
  Connection pair;
  Watch watch;
  std::size_t left = 1;
  pair.client.on<"data">([&](std::string_view bytes) { watch.data += bytes; });
  pair.run([&] {
    watch.log_events<"close">(pair.served);
    const int fd = pair.served.release();
    REQUIRE(fd >= 0);
    CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK(pair.served.release() == -1);
    CHECK_FALSE(pair.served.write("late", watch.result("refused")));
    Socket adopted = Socket::adopt(pair.loop, fd);
    CHECK(adopted.remote_address() == pair.client.local_address());
    adopted.end("from the new owner");
    adopted.resume();
    pair.server.connections([&](std::error_code, std::size_t count) { left = count; });
  });

  CHECK(left == 0);
  CHECK(watch.data == "from the new owner");
  CHECK(watch.results == std::vector{make_error_code(Errc::stream_destroyed)});
}

TEST_CASE("socket: adopt() refuses a descriptor that is no stream socket, and leaves it open",
          "[net]") {
  TestLoop loop;
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);

  CHECK_THROWS_AS(Socket::adopt(loop, ends[0]), tine::Error);
  CHECK_THROWS_AS(Socket::adopt(loop, -1), tine::Error);
  for (const int fd : ends) CHECK(::close(fd) == 0);
}

TEST_CASE("socket: an accepted socket that nobody reads is destroyed with the loop", "[net]") {
  Connection pair;
  const auto captured = std::make_shared<int>();
  pair.run([&] {
    pair.served.on<"close">([captured, keep = pair.served] {});
    pair.served = {};
    pair.client.pause();
    pair.loop->stop();
  });
  CHECK(captured.use_count() == 2);
  pair.loop.destroy();
  CHECK(captured.use_count() == 1);
}

TEST_CASE("socket: its state reports the close once, and can be duplicated", "[net]") {
  TestLoop loop;
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  tine::base::Descriptor peer(ends[1]);
  const auto socket = tine::net::make_socket(tine::core_of(loop), tine::base::Descriptor(ends[0]));
  CHECK(socket->server() == nullptr);
  ExpectCalls closed(2);
  socket->when_closed([&] { closed(); });
  tine::base::Descriptor copy = socket->duplicate();
  CHECK((fcntl(copy.get(), F_GETFD) & FD_CLOEXEC) != 0);
  socket->destroy();
  loop.run();

  socket->when_closed([&] { closed(); });
  CHECK_THROWS_AS(socket->duplicate(), tine::Error);
  CHECK(::write(copy.get(), "x", 1) == 1);
}

TEST_CASE("socket: a client that goes away does not end a server without an error listener",
          "[net]") {
  TestLoop loop;
  tine::Server server(loop);
  ExpectCalls closed(1);
  int client = -1;
  server.on<"listening">([&] {
    const auto to = tine::net::ip_address("127.0.0.1", server.address()->port);
    client = socket(AF_INET, SOCK_STREAM, 0);
    REQUIRE(connect(client, to->get(), to->size) == 0);
  });
  server.on<"connection">([&](tine::Socket socket) {
    const linger reset{1, 0};
    REQUIRE(setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof reset) == 0);
    ::close(client);
    socket.on<"close">([&, socket] {
      closed();
      socket.write("after that");
      server.close();
    });
    socket.resume();
    socket.write("lost");
    socket.write("lost too");
  });
  server.listen({.host = "127.0.0.1"});
  loop.run();
}

TEST_CASE("socket: a failed connect() is an error even if nobody listens", "[net]") {
  TestLoop loop;
  tine::Socket client(loop);
  client.connect({.path = "/nonexistent/socket"});
  CHECK_THROWS_WITH(loop.run(), StartsWith("connect /nonexistent/socket"));
  loop.run();
}

TEST_CASE("socket: an empty handle is not connected and does nothing", "[net]") {
  const Socket socket;
  CHECK_FALSE(socket);
  const auto captured = std::make_shared<int>();
  socket.once<"data">([captured] { FAIL("called"); });
  CHECK_FALSE(socket.write("lost", [captured](std::error_code) { FAIL("called"); }));
  CHECK(captured.use_count() == 1);
  socket.connect({.port = 1});
  socket.end("lost");
  socket.pause();
  socket.resume();
  socket.no_delay();
  socket.keep_alive();
  socket.timeout(1s);
  socket.ref();
  socket.unref();
  socket.destroy();
  CHECK(socket.release() == -1);
  CHECK_FALSE(socket.readable());
  CHECK_FALSE(socket.writable());
  CHECK_FALSE(socket.connecting());
  CHECK(socket.queued_bytes() == 0);
  CHECK_FALSE(socket.remote_address());
  CHECK_FALSE(socket.local_address());
}
