#include <cerrno>
#include <chrono>
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
#include <sys/socket.h>

#include "net/bound_socket.hpp"
#include "net/datagram_state.hpp"
#include "net/objects.hpp"
#include "support/catch.hpp"
#include "support/test_loop.hpp"

using tine::Address;
using tine::Datagram;
using tine::Errc;
using tine::Family;
using tine::net::ListenerAnswer;

namespace {

Datagram loopback_datagram(tine::Loop& loop) {
  Datagram socket(loop, Family::ipv4);
  socket.bind({.host = "127.0.0.1"});
  return socket;
}

}  // namespace

TEST_CASE("datagram: a message is answered, in both families", "[net]") {
  const Family family = GENERATE(Family::ipv4, Family::ipv6);
  const bool by_name = GENERATE(false, true);
  const std::string host = family == Family::ipv4 ? "127.0.0.1" : "::1";
  TestLoop loop;
  Watch watch;
  Datagram server(loop, family);
  Datagram client(loop, family);
  watch.follow(server);
  server.on<"message">([&](std::string_view bytes, const Address& from) {
    CHECK(from.port == client.address()->port);
    server.send("re: " + std::string(bytes), from);
  });
  client.on<"message">([&](std::string_view bytes, const Address& from) {
    CHECK(from == server.address());
    watch.data = bytes;
    server.close();
    client.close();
  });
  server.on<"listening">([&] { client.send("question", *server.address(), watch.result("sent")); });
  server.bind({.host = by_name && family == Family::ipv4 ? "localhost" : host});
  CHECK(watch.log.empty());
  loop.run();

  CHECK(watch.data == "re: question");
  CHECK(watch.log == Log{"listening", "sent", "close"});
  CHECK_FALSE(watch.results.at(0));
  CHECK_FALSE(server.address());
}

TEST_CASE("datagram: messages arrive whole, also empty ones", "[net]") {
  TestLoop loop;
  Datagram server = loopback_datagram(loop);
  const std::vector<std::string> messages{"first", "", bytes_of(60000)};
  std::vector<std::string> received;
  server.on<"message">([&](std::string_view bytes) {
    received.emplace_back(bytes);
    if (received.size() == messages.size()) server.close();
  });
  for (const std::string& message : messages) server.send(message, *server.address());
  loop.run();

  CHECK(received == messages);
}

TEST_CASE("datagram: a failed send is reported by its callback, or else as an error", "[net]") {
  TestLoop loop;
  Datagram socket = loopback_datagram(loop);
  Watch watch;
  watch.follow(socket);
  const Address self = *socket.address();
  socket.send(std::string(70000, 'x'), self, watch.result("too long"));
  socket.send("x", {Family::ipv4, "localhost", 80}, watch.result("a name"));
  socket.send("x", {Family::ipv4, "no address", 80});
  CHECK(watch.log.empty());
  loop->post([&] { socket.close(); });
  loop->ref();
  socket.on<"close">([&] { loop->unref(); });
  loop.run();
  CHECK(watch.log == Log{"error", "listening", "too long", "a name", "close"});
  CHECK(watch.results == std::vector{system_code(EMSGSIZE), system_code(EINVAL)});
  CHECK(watch.errors == std::vector{system_code(EINVAL)});

  socket.send("x", self, watch.result("closed"));
  socket.send("x", self);
  loop.run();
  CHECK(watch.results.back() == Errc::socket_not_running);
}

TEST_CASE("datagram: a port in use is an error, and the next bind() may succeed", "[net]") {
  TestLoop loop;
  Datagram first = loopback_datagram(loop);
  Datagram second(loop, Family::ipv4);
  Watch watch;
  watch.follow(second);
  second.on<"error">([&] { second.bind({.host = "127.0.0.1"}); });
  second.on<"listening">([&] {
    first.close();
    second.close();
  });
  second.bind({.host = "127.0.0.1", .port = first.address()->port});
  loop.run();

  CHECK(watch.log == Log{"error", "listening", "close"});
  CHECK(watch.errors.at(0) == system_code(EADDRINUSE));
}

TEST_CASE("datagram: reuse_address and reuse_port share a port", "[net]") {
  const bool by_port = GENERATE(false, true);
  TestLoop loop;
  const tine::BindOptions options{
      .host = "127.0.0.1", .reuse_address = !by_port, .reuse_port = by_port};
  Datagram first(loop, Family::ipv4);
  first.bind(options);
  tine::BindOptions again = options;
  again.port = first.address()->port;
  Datagram second(loop, Family::ipv4);
  second.bind(again);

  CHECK(second.address() == first.address());
  first.close();
  second.close();
  loop.run();
}

TEST_CASE("datagram: a second bind() is an error and changes nothing", "[net]") {
  TestLoop loop;
  Datagram socket = loopback_datagram(loop);
  Watch watch;
  watch.follow(socket);
  socket.bind();
  socket.on<"listening">([&] { socket.close(); });
  loop.run();

  CHECK(watch.log == Log{"error", "listening", "close"});
  CHECK(watch.errors.at(0) == Errc::already_bound);
}

TEST_CASE("datagram: a send that waits for bind() gets the error if bind() fails", "[net]") {
  TestLoop loop;
  install_source(loop, [] { return ListenerAnswer{.error = EACCES}; });
  Datagram socket(loop, Family::ipv4);
  Watch watch;
  watch.follow(socket);
  socket.bind();
  socket.send("x", {Family::ipv4, "127.0.0.1", 80}, watch.result("sent"));
  loop.run();

  CHECK(watch.log == Log{"error", "sent"});
  CHECK(watch.results.at(0) == system_code(EACCES));
  CHECK(watch.errors.at(0) == system_code(EACCES));
}

TEST_CASE("datagram: close() during bind() cancels the waiting sends", "[net]") {
  TestLoop loop;
  Datagram socket(loop, Family::ipv4);
  Watch watch;
  watch.follow(socket);
  socket.bind({.host = "localhost"});
  socket.send("x", {Family::ipv4, "127.0.0.1", 80}, watch.result("sent"));
  socket.send("x", {Family::ipv4, "127.0.0.1", 80});
  socket.close();
  socket.close();
  loop.run();

  CHECK(watch.log == Log{"sent", "close"});
  CHECK(watch.results.at(0) == system_code(ECANCELED));
}

TEST_CASE("datagram: before it is started, only its handles own it", "[net]") {
  TestLoop loop;
  const auto captured = std::make_shared<int>();
  {
    Datagram socket(loop, Family::ipv4);
    socket.on<"message">([captured] {});
  }
  CHECK(captured.use_count() == 1);
}

TEST_CASE("datagram: it goes on without handles, and drops its listeners after close", "[net]") {
  TestLoop loop;
  const auto captured = std::make_shared<int>();
  {
    Datagram socket = loopback_datagram(loop);
    socket.on<"message">([captured, socket] { socket.close(); });
    socket.send("x", *socket.address());
  }
  loop.run();
  CHECK(captured.use_count() == 1);
}

TEST_CASE("datagram: a handle may outlive the loop", "[net]") {
  TestLoop loop;
  Datagram socket = loopback_datagram(loop);
  socket.on<"message">([socket] { FAIL("the loop is gone"); });
  socket.send("x", *socket.address(), [](std::error_code) { FAIL("the loop is gone"); });
  Datagram pending(loop, Family::ipv4);
  pending.bind({.host = "localhost"});
  loop.destroy();

  CHECK_FALSE(socket.address());
  socket.send("x", {Family::ipv4, "127.0.0.1", 80});
  socket.bind();
  socket.close();
  CHECK(socket.release() == -1);
}

TEST_CASE("datagram: unref() lets the loop end", "[net]") {
  TestLoop loop;
  Datagram socket = loopback_datagram(loop);
  socket.unref();
  loop.run();
  CHECK(socket.address());

  socket.ref();
  socket.on<"message">([&] { socket.close(); });
  socket.send("x", *socket.address());
  loop.run();
  CHECK_FALSE(socket.address());
}

TEST_CASE("datagram: if a message listener throws, the next run delivers the other messages",
          "[net]") {
  TestLoop loop;
  Datagram socket = loopback_datagram(loop);
  std::vector<std::string> received;
  socket.on<"message">([&](std::string_view bytes) {
    received.emplace_back(bytes);
    if (received.size() == 1) throw std::runtime_error("listener");
    socket.close();
  });
  socket.send("first", *socket.address());
  socket.send("second", *socket.address());
  CHECK_THROWS_AS(loop.run(), std::runtime_error);
  CHECK(received == std::vector<std::string>{"first"});
  loop.run();

  CHECK(received == std::vector<std::string>{"first", "second"});
}

TEST_CASE("datagram: release() gives the socket away, adopt() takes it", "[net]") {
  TestLoop loop;
  Watch watch;
  Datagram first = loopback_datagram(loop);
  watch.follow(first);
  const auto address = first.address();
  const int fd = first.release();
  REQUIRE(fd >= 0);
  CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
  loop.run();
  CHECK(watch.log == Log{"close"});

  Datagram second = Datagram::adopt(loop, fd);
  CHECK(second.address() == address);
  watch.follow(second);
  second.on<"message">([&] { second.close(); });
  second.send("x", *address);
  loop.run();
  CHECK(watch.log == Log{"close", "listening", "close"});
}

TEST_CASE("datagram: adopt() refuses a descriptor that is no UDP socket, and leaves it open",
          "[net]") {
  TestLoop loop;
  const int stream = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int local = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  CHECK_THROWS_AS(Datagram::adopt(loop, stream), tine::Error);
  CHECK_THROWS_AS(Datagram::adopt(loop, local), tine::Error);
  CHECK_THROWS_AS(Datagram::adopt(loop, -1), tine::Error);
  CHECK(::close(stream) == 0);
  CHECK(::close(local) == 0);
}

TEST_CASE("datagram: a duplicate stays open when the socket is closed", "[net]") {
  TestLoop loop;
  const auto socket = std::make_shared<tine::net::DatagramState>(tine::core_of(loop), Family::ipv4);
  CHECK_THROWS_AS(socket->duplicate(), tine::Error);
  socket->bind({.host = "127.0.0.1"});
  const auto address = socket->address();
  const tine::base::Descriptor copy = socket->duplicate();
  socket->close();
  loop.run();
  CHECK(tine::net::local_address(copy.get()) == address);
}

TEST_CASE("datagram: a source provides the socket, and its lease ends with the socket", "[net]") {
  TestLoop loop;
  const auto source = install_source(loop, [] {
    return ListenerAnswer{.descriptor = tine::net::bound_socket(
                              *tine::net::ip_address("127.0.0.1", 0), {.type = SOCK_DGRAM})};
  });
  Datagram socket(loop, Family::ipv4);
  socket.on<"listening">([&] {
    CHECK_FALSE(source->lease_ended);
    CHECK(socket.address()->host == "127.0.0.1");
    socket.close();
  });
  socket.bind({.port = 53});
  loop.run();

  CHECK(source->lease_ended);
  REQUIRE(source->queries.size() == 1);
  CHECK(source->queries[0].kind == tine::net::ListenerQuery::Kind::udp4);
  CHECK(source->queries[0].port == 53);
  CHECK_FALSE(source->queries[0].address);

  for (const bool by_port : {false, true}) {
    Datagram own(loop, Family::ipv4);
    own.bind({.host = "127.0.0.1", .reuse_port = by_port, .exclusive = !by_port});
    CHECK(own.address());
    own.close();
  }
  loop.run();
  CHECK(source->queries.size() == 1);
}

TEST_CASE("address: it is written as text", "[net]") {
  CHECK(to_string(Address{Family::ipv4, "127.0.0.1", 80}) == "127.0.0.1:80");
  CHECK(to_string(Address{Family::ipv6, "::1", 80}) == "[::1]:80");
  CHECK(to_string(Address{Family::unix_path, "/run/x", 0}) == "/run/x");
}

TEST_CASE("address: a NUL does not cut it short", "[net]") {
  using namespace std::string_literals;
  CHECK(to_string(Address{Family::unix_path, "\0name"s, 0}) == "\\0name");
  for (const std::string& host : {"127.0.0.1\0.example"s, "::1\0"s, "fe80::1%lo\0"s, "\0"s}) {
    CHECK_FALSE(tine::net::ip_address(host, 7));
  }
  CHECK(error_of([] { tine::net::path_address("/run/x\0y"s); }) == Errc::invalid_argument);
  const std::string name = "\0a\0b"s;
  CHECK(tine::net::to_address(tine::net::path_address(name)).host == name);
}

TEST_CASE("datagram: a NUL in a host is refused", "[net]") {
  using namespace std::string_literals;
  TestLoop loop;
  Datagram socket(loop, Family::ipv4);
  Watch watch;
  watch.follow(socket);
  socket.bind({.host = "127.0.0.1\0.example"s});
  socket.send("x", {Family::ipv4, "127.0.0.1\0"s, 80}, watch.result("sent"));
  loop.run();

  CHECK(watch.log == Log{"error", "sent"});
  CHECK(watch.errors.at(0) == Errc::invalid_argument);
  CHECK_THAT(watch.texts.at(0), ContainsSubstring("127.0.0.1\\0.example"));
  CHECK(watch.results.at(0) == system_code(EINVAL));
}

TEST_CASE("address: it is the same after a conversion and back, including the scope of a link",
          "[net]") {
  const auto converted = [](const std::string& host) {
    return tine::net::to_address(tine::net::ip_address(host, 7).value());
  };
  CHECK(converted("192.0.2.7") == Address{Family::ipv4, "192.0.2.7", 7});
  CHECK(converted("2001:db8::7") == Address{Family::ipv6, "2001:db8::7", 7});
  CHECK(converted("fe80::1%lo") == Address{Family::ipv6, "fe80::1%lo", 7});
  CHECK(converted("fe80::1%9999").host == "fe80::1%9999");
  for (const char* const name : {"", "localhost", "127.1", "::g", "1.2.3.4.5"}) {
    CHECK_FALSE(tine::net::ip_address(name, 7));
  }
}

TEST_CASE("datagram: an empty handle sends nothing; its options throw EBADF", "[net]") {
  const Datagram socket;
  CHECK_FALSE(socket);
  const auto captured = std::make_shared<int>();
  socket.on<"message">([captured] { FAIL("called"); });
  socket.send("lost", {.host = "127.0.0.1", .port = 1},
              [captured](std::error_code) { FAIL("called"); });
  socket.send("lost", [captured](std::error_code) { FAIL("called"); });
  CHECK(captured.use_count() == 1);
  socket.bind();
  socket.connect({.host = "127.0.0.1", .port = 1});
  socket.ref();
  socket.unref();
  socket.close();
  CHECK(socket.release() == -1);
  CHECK_FALSE(socket.address());
  CHECK_FALSE(socket.remote_address());

  const std::vector<std::function<void()>> calls{
      [&] { socket.disconnect(); },
      [&] { socket.add_membership("224.0.0.1"); },
      [&] { socket.drop_membership("224.0.0.1"); },
      [&] { socket.add_source_specific_membership("127.0.0.1", "232.0.0.1"); },
      [&] { socket.drop_source_specific_membership("127.0.0.1", "232.0.0.1"); },
      [&] { socket.multicast_interface("0.0.0.0"); },
      [&] { socket.multicast_loopback(); },
      [&] { socket.multicast_ttl(1); },
      [&] { socket.ttl(1); },
      [&] { socket.broadcast(); },
      [&] { socket.receive_buffer_size(1024); },
      [&] { socket.send_buffer_size(1024); },
      [&] { static_cast<void>(socket.receive_buffer_size()); },
      [&] { static_cast<void>(socket.send_buffer_size()); },
  };
  for (const auto& call : calls) {
    try {
      call();
      FAIL("does not throw");
    } catch (const tine::Error& error) {
      CHECK(error.code() == std::errc::bad_file_descriptor);
    }
  }
}
