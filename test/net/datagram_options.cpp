// The options of a datagram socket: groups, broadcast and buffers; and connected sockets.
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/sockets.hpp"
#include "net/datagram_state.hpp"
#include "net/objects.hpp"
#include "support/catch.hpp"
#include "support/test_loop.hpp"

using tine::Address;
using tine::Datagram;
using tine::Errc;
using tine::Family;

namespace {

Datagram bound(tine::Loop& loop, const std::string& host) {
  Datagram socket(loop, host.find(':') == host.npos ? Family::ipv4 : Family::ipv6);
  socket.bind({.host = host});
  return socket;
}

int option(const Datagram& socket, int level, int name) {
  return tine::base::socket_option(tine::net::DatagramState::of(socket)->fd(), level, name).value();
}

// Returns a group that no other process of this machine joins. This matters because a socket bound
// to all addresses receives what is sent to any group that some socket has joined.
std::string group_of_test() {
  const int pid = ::getpid();
  return "239.255." + std::to_string(pid / 256 % 256) + '.' + std::to_string(pid % 256);
}

// A receiver bound to all addresses, and a sender whose messages to the group stay on the loopback.
struct Group {
  Group() : receiver(bound(loop, "0.0.0.0")), sender(bound(loop, "127.0.0.1")) {
    sender.multicast_interface("127.0.0.1");
    receiver.on<"message">([this](std::string_view bytes) {
      received.emplace_back(bytes);
      if (bytes == "last") loop->stop();
    });
  }
  ~Group() {
    receiver.close();
    sender.close();
    loop.run();
  }

  // Sends a message to the group, then one to the receiver itself. Returns the messages that arrive
  // before the second one.
  std::vector<std::string> receives() {
    received.clear();
    const std::uint16_t port = receiver.address()->port;
    sender.send("to the group", {Family::ipv4, name, port});
    sender.send("last", {Family::ipv4, "127.0.0.1", port});
    loop.run();
    received.pop_back();
    return received;
  }

  TestLoop loop;
  const std::string name = group_of_test();
  Datagram receiver;
  Datagram sender;
  std::vector<std::string> received;
};

const std::vector<std::string> nothing;
const std::vector<std::string> one{"to the group"};

// Returns how many lines of a file contain a text. The file is one of the kernel's lists of group
// members.
std::size_t lines_of(const std::string& file, const std::string& text) {
  std::ifstream all(file);
  std::size_t count = 0;
  for (std::string line; std::getline(all, line);) count += line.find(text) != line.npos;
  return count;
}

}  // namespace

TEST_CASE("datagram: a member of a group receives the messages to it", "[net]") {
  Group test;
  CHECK(test.receives() == nothing);
  test.receiver.add_membership(test.name, "127.0.0.1");
  CHECK(test.receives() == one);
  test.receiver.drop_membership(test.name, "127.0.0.1");
  CHECK(test.receives() == nothing);
}

TEST_CASE("datagram: a membership may be for one source only", "[net]") {
  Group test;
  test.receiver.add_source_specific_membership("192.0.2.1", test.name, "127.0.0.1");
  CHECK(test.receives() == nothing);
  test.receiver.add_source_specific_membership("127.0.0.1", test.name, "127.0.0.1");
  CHECK(test.receives() == one);
  test.receiver.drop_source_specific_membership("127.0.0.1", test.name, "127.0.0.1");
  CHECK(test.receives() == nothing);
}

// The loopback has no route for groups of IPv6, so the test looks at the kernel's lists.
TEST_CASE("datagram: an IPv6 group is joined and left at an interface", "[net]") {
  const bool in_group = GENERATE(false, true);
  char digits[5];
  std::snprintf(digits, sizeof digits, "%04x", static_cast<unsigned>(::getpid()) % 0x10000);
  const std::string name = std::string("ff11::7469:") + digits + (in_group ? "%lo" : "");
  const std::string interface = in_group ? "" : "::%lo";
  const std::string known = "ff11" + std::string(20, '0') + "7469" + digits;
  TestLoop loop;
  Datagram socket = bound(loop, "::1");
  const auto members = [&] { return lines_of("/proc/net/igmp6", known); };
  const auto sources = [&] { return lines_of("/proc/net/mcfilter6", known); };
  socket.add_membership(name, interface);
  CHECK(members() == 1);
  CHECK(error_of([&] { socket.add_membership(name, interface); }) == system_code(EADDRINUSE));
  socket.drop_membership(name, interface);
  CHECK(members() == 0);
  socket.add_source_specific_membership("2001:db8::1", name, interface);
  CHECK(sources() == 1);
  socket.drop_source_specific_membership("2001:db8::1", name, interface);
  CHECK(sources() == 0);

  socket.multicast_interface("::%lo");
  CHECK(option(socket, IPPROTO_IPV6, IPV6_MULTICAST_IF) == static_cast<int>(if_nametoindex("lo")));
  socket.multicast_loopback(false);
  CHECK(option(socket, IPPROTO_IPV6, IPV6_MULTICAST_LOOP) == 0);
  socket.multicast_loopback();
  CHECK(option(socket, IPPROTO_IPV6, IPV6_MULTICAST_LOOP) == 1);
  socket.close();
  loop.run();
}

TEST_CASE("datagram: add_membership() binds a socket that is not bound", "[net]") {
  TestLoop loop;
  Datagram socket(loop, Family::ipv4);
  Watch watch;
  watch.follow(socket);
  socket.add_membership("239.255.74.69", "127.0.0.1");
  CHECK(socket.address()->port != 0);
  socket.on<"listening">([&] { socket.close(); });
  loop.run();
  CHECK(watch.log == Log{"listening", "close"});
}

TEST_CASE("datagram: a message to all needs broadcast()", "[net]") {
  TestLoop loop;
  Datagram receiver = bound(loop, "0.0.0.0");
  Datagram sender = bound(loop, "127.0.0.1");
  Watch watch;
  const Address all{Family::ipv4, "127.255.255.255", receiver.address()->port};
  receiver.on<"message">([&](std::string_view bytes) {
    watch.data = bytes;
    receiver.close();
    sender.close();
  });
  sender.send("refused", all, watch.result("refused"));
  sender.broadcast();
  sender.send("to all", all, watch.result("sent"));
  loop.run();

  CHECK(watch.data == "to all");
  CHECK(watch.results.at(0) == system_code(EACCES));
  CHECK_FALSE(watch.results.at(1));
}

TEST_CASE("datagram: hops and buffer sizes are set", "[net]") {
  TestLoop loop;
  Datagram ipv4 = bound(loop, "127.0.0.1");
  ipv4.ttl(7);
  ipv4.multicast_ttl(0);
  ipv4.multicast_loopback(false);
  CHECK(option(ipv4, IPPROTO_IP, IP_TTL) == 7);
  CHECK(option(ipv4, IPPROTO_IP, IP_MULTICAST_TTL) == 0);
  CHECK(option(ipv4, IPPROTO_IP, IP_MULTICAST_LOOP) == 0);  // no effect on the loopback
  ipv4.multicast_loopback();
  CHECK(option(ipv4, IPPROTO_IP, IP_MULTICAST_LOOP) == 1);
  Datagram ipv6 = bound(loop, "::1");
  ipv6.ttl(255);
  ipv6.multicast_ttl(8);
  CHECK(option(ipv6, IPPROTO_IPV6, IPV6_UNICAST_HOPS) == 255);
  CHECK(option(ipv6, IPPROTO_IPV6, IPV6_MULTICAST_HOPS) == 8);

  ipv4.receive_buffer_size(10'000);
  ipv4.send_buffer_size(20'000);
  CHECK(ipv4.receive_buffer_size() >= 10'000);
  CHECK(ipv4.receive_buffer_size() < ipv6.receive_buffer_size());
  CHECK(ipv4.send_buffer_size() >= 20'000);
  CHECK(ipv4.send_buffer_size() < ipv6.send_buffer_size());
  ipv4.close();
  ipv6.close();
  loop.run();
}

TEST_CASE("datagram: an invalid option throws, and changes nothing", "[net]") {
  TestLoop loop;
  Datagram socket(loop, Family::ipv4);
  const auto each = [&](const std::error_code& error) {
    const std::vector<std::function<void()>> calls{
        [&] { socket.drop_membership("239.255.74.69"); },
        [&] { socket.multicast_interface("127.0.0.1"); },
        [&] { socket.multicast_loopback(); },
        [&] { socket.multicast_ttl(1); },
        [&] { socket.ttl(1); },
        [&] { socket.broadcast(); },
        [&] { socket.receive_buffer_size(1); },
        [&] { static_cast<void>(socket.send_buffer_size()); },
    };
    for (const auto& call : calls) CHECK(error_of(call) == error);
  };
  each(system_code(EBADF));
  socket.bind({.host = "127.0.0.1"});
  const std::vector<std::function<void()>> wrong{
      [&] { socket.add_membership(""); },
      [&] { socket.add_membership("127.0.0.1"); },  // the address is not that of a group
      [&] { socket.add_membership("ff11::7469"); },
      [&] { socket.add_membership("239.255.74.69", "lo"); },
      [&] { socket.add_source_specific_membership("somebody", "239.255.74.69"); },
      [&] { socket.multicast_interface(""); },
      [&] { socket.multicast_interface("::"); },
      [&] { socket.multicast_ttl(-1); },
      [&] { socket.multicast_ttl(256); },
      [&] { socket.ttl(0); },
      [&] { socket.ttl(256); },
      [&] { socket.receive_buffer_size(std::size_t{1} << 40); },
  };
  for (const auto& call : wrong) CHECK(error_of(call) == system_code(EINVAL));
  CHECK(error_of([&] { socket.drop_membership("239.255.74.69"); }) == system_code(EADDRNOTAVAIL));
  socket.close();
  each(Errc::socket_not_running);
  CHECK(error_of([&] { socket.add_membership("239.255.74.69"); }) == Errc::socket_not_running);
  loop.run();
}

// --- connected sockets

TEST_CASE("datagram: a connected socket has one peer", "[net]") {
  const bool bound_first = GENERATE(true, false);
  TestLoop loop;
  Datagram peer = bound(loop, "127.0.0.1");
  Datagram other = bound(loop, "127.0.0.1");
  Datagram socket(loop, Family::ipv4);
  Watch watch;
  watch.follow(socket);
  if (bound_first) socket.bind({.host = "127.0.0.1"});
  socket.connect(*peer.address());
  CHECK(watch.log.empty());
  CHECK(socket.remote_address() == peer.address());
  socket.send("question", watch.result("sent"));
  socket.send("x", *other.address(), watch.result("elsewhere"));
  peer.on<"message">([&](std::string_view, const Address& from) {
    other.send("not received", from);
    peer.send("answer", from);
  });
  socket.on<"message">([&](std::string_view bytes) {
    watch.data += bytes;
    for (Datagram each : {peer, other, socket}) each.close();
  });
  loop.run();

  CHECK(watch.data == "answer");
  CHECK(watch.log == Log{"listening", "connect", "sent", "elsewhere", "close"});
  CHECK_FALSE(watch.results.at(0));
  CHECK(watch.results.at(1) == system_code(EISCONN));
  CHECK_FALSE(socket.remote_address());
}

TEST_CASE("datagram: after disconnect() it has its earlier address, and receives from everybody",
          "[net]") {
  const std::string host = GENERATE("127.0.0.1", "0.0.0.0", "::", "::1");
  const bool ipv6 = host.find(':') != host.npos;
  TestLoop loop;
  Datagram peer = bound(loop, ipv6 ? "::1" : "127.0.0.1");
  Datagram other = bound(loop, ipv6 ? "::1" : "127.0.0.1");
  Datagram socket = bound(loop, host);
  const auto before = socket.address();
  socket.connect(*peer.address());
  socket.disconnect();
  CHECK(socket.address() == before);
  CHECK_FALSE(socket.remote_address());
  std::error_code result;
  socket.send("x", [&](std::error_code error) { result = error; });
  bool received = false;
  socket.on<"message">([&] {
    received = true;
    for (Datagram each : {peer, other, socket}) each.close();
  });
  other.send("received", {peer.address()->family, peer.address()->host, before->port});
  loop.run();

  CHECK(received);
  CHECK(result == system_code(EDESTADDRREQ));
  CHECK(error_of([&] { socket.disconnect(); }) == system_code(ENOTCONN));
}

TEST_CASE("datagram: connect() during bind() takes effect when it is bound", "[net]") {
  TestLoop loop;
  Datagram peer = bound(loop, "127.0.0.1");
  Datagram socket(loop, Family::ipv4);
  Watch watch;
  watch.follow(socket);
  socket.bind({.host = "localhost"});
  socket.connect(*peer.address());
  socket.send("early");
  CHECK_FALSE(socket.remote_address());
  peer.on<"message">([&](std::string_view bytes) {
    watch.data = bytes;
    peer.close();
    socket.close();
  });
  loop.run();
  CHECK(watch.data == "early");
  CHECK(watch.log == Log{"listening", "connect", "close"});
}

TEST_CASE("datagram: a failed connect() is an error", "[net]") {
  TestLoop loop;
  Datagram socket = bound(loop, "127.0.0.1");
  Watch watch;
  watch.follow(socket);
  const Address self = *socket.address();
  socket.connect({Family::ipv4, "localhost", 80});
  socket.connect({Family::ipv6, "::1", 80});
  socket.connect(self);
  socket.connect(self);
  socket.on<"connect">([&] { socket.close(); });
  loop.run();
  CHECK(watch.log == Log{"error", "error", "error", "listening", "connect", "close"});
  CHECK(watch.errors ==
        std::vector{system_code(EINVAL), system_code(EAFNOSUPPORT), system_code(EISCONN)});
  CHECK_THAT(watch.texts.at(0), StartsWith("connect localhost:80"));
}

TEST_CASE("datagram: a peer that is gone is an error only if somebody listens", "[net]") {
  const bool listens = GENERATE(false, true);
  TestLoop loop;
  Datagram peer = bound(loop, "127.0.0.1");
  Datagram socket = bound(loop, "127.0.0.1");
  Datagram self = bound(loop, "127.0.0.1");
  socket.connect(*peer.address());
  peer.close();
  loop->after(std::chrono::milliseconds(0), [&] { loop->stop(); });
  loop.run();

  std::vector<std::error_code> errors;
  if (listens) {
    socket.on<"error">([&](const tine::Error& error) { errors.push_back(error.code()); });
  }
  socket.send("nobody is there");
  int turns = 0;
  self.on<"message">([&] {
    if (++turns < 2) return self.send("x", *self.address());
    socket.close();
    self.close();
  });
  self.send("x", *self.address());
  loop.run();
  CHECK(errors == std::vector<std::error_code>(listens ? 1 : 0, system_code(ECONNREFUSED)));
}

TEST_CASE("datagram: a connected socket is still connected after adopt()", "[net]") {
  TestLoop loop;
  Datagram peer = bound(loop, "127.0.0.1");
  Datagram socket = bound(loop, "127.0.0.1");
  socket.connect(*peer.address());
  Datagram again = Datagram::adopt(loop, socket.release());
  CHECK(again.remote_address() == peer.address());
  bool received = false;
  peer.on<"message">([&] {
    received = true;
    peer.close();
    again.close();
  });
  again.send("x");
  loop.run();
  CHECK(received);
}
