#include "net/datagram_options.hpp"

#include <cerrno>
#include <limits>
#include <optional>

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/sockets.hpp"
#include "base/system_code.hpp"
#include "net/socket_address.hpp"
#include "tine/error.hpp"

namespace tine::net {

namespace {

constexpr int most_hops = 255;

[[noreturn]] void refuse(const std::string& what) {
  throw Error(base::system_code(EINVAL), printable(what));
}

template <class T>
T parsed(const std::string& text, int family) {
  const std::optional<SocketAddress> address = ip_address(text, 0);
  if (!address || address->family() != family) refuse("the address \"" + text + '"');
  return reinterpret_cast<const T&>(address->storage);
}

in_addr ipv4(const std::string& text) {
  return text.empty() ? in_addr{} : parsed<sockaddr_in>(text, AF_INET).sin_addr;
}

sockaddr_in6 ipv6(const std::string& text) { return parsed<sockaddr_in6>(text, AF_INET6); }

// The index of the interface. If none is given, the scope of the group counts: "ff02::1%eth0".
unsigned interface_of(const Membership& membership) {
  return ipv6(membership.interface.empty() ? membership.group : membership.interface).sin6_scope_id;
}

template <class T>
void set(int fd, int level, int name, const T& value, const std::string& what) {
  if (::setsockopt(fd, level, name, &value, sizeof value) < 0) {
    throw Error(base::system_code(errno), what);
  }
}

void change_ipv4(int fd, const Membership& membership, bool joins, const std::string& what) {
  const in_addr group = ipv4(membership.group);
  const in_addr interface = ipv4(membership.interface);
  if (membership.source.empty()) {
    ip_mreq request{};
    request.imr_multiaddr = group;
    request.imr_interface = interface;
    return set(fd, IPPROTO_IP, joins ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP, request, what);
  }
  ip_mreq_source request{};
  request.imr_multiaddr = group;
  request.imr_interface = interface;
  request.imr_sourceaddr = ipv4(membership.source);
  const int name = joins ? IP_ADD_SOURCE_MEMBERSHIP : IP_DROP_SOURCE_MEMBERSHIP;
  set(fd, IPPROTO_IP, name, request, what);
}

void change_ipv6(int fd, const Membership& membership, bool joins, const std::string& what) {
  const sockaddr_in6 group = ipv6(membership.group);
  const unsigned interface = interface_of(membership);
  if (membership.source.empty()) {
    const ipv6_mreq request{group.sin6_addr, interface};
    return set(fd, IPPROTO_IPV6, joins ? IPV6_JOIN_GROUP : IPV6_LEAVE_GROUP, request, what);
  }
  group_source_req request{};
  request.gsr_interface = interface;
  reinterpret_cast<sockaddr_in6&>(request.gsr_group) = group;
  reinterpret_cast<sockaddr_in6&>(request.gsr_source) = ipv6(membership.source);
  const int name = joins ? MCAST_JOIN_SOURCE_GROUP : MCAST_LEAVE_SOURCE_GROUP;
  set(fd, IPPROTO_IPV6, name, request, what);
}

void change(int fd, Family family, const Membership& membership, bool joins) {
  if (membership.group.empty()) refuse("an empty group");
  const std::string what = (joins ? "join " : "leave ") + printable(membership.group);
  family == Family::ipv6 ? change_ipv6(fd, membership, joins, what)
                         : change_ipv4(fd, membership, joins, what);
}

}  // namespace

void join(int fd, Family family, const Membership& membership) {
  change(fd, family, membership, true);
}

void leave(int fd, Family family, const Membership& membership) {
  change(fd, family, membership, false);
}

void set_multicast_interface(int fd, Family family, const std::string& interface) {
  const std::string what = "multicast interface " + printable(interface);
  if (family == Family::ipv6) {
    set(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, ipv6(interface).sin6_scope_id, what);
  } else {
    set(fd, IPPROTO_IP, IP_MULTICAST_IF, parsed<sockaddr_in>(interface, AF_INET).sin_addr, what);
  }
}

void set_multicast_loopback(int fd, Family family, bool on) {
  const bool six = family == Family::ipv6;
  set(fd, six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_MULTICAST_LOOP : IP_MULTICAST_LOOP,
      on ? 1 : 0, "multicast loopback");
}

void set_multicast_ttl(int fd, Family family, int hops) {
  if (hops < 0 || hops > most_hops) refuse("a multicast ttl of " + std::to_string(hops));
  const bool six = family == Family::ipv6;
  set(fd, six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_MULTICAST_HOPS : IP_MULTICAST_TTL, hops,
      "multicast ttl");
}

void set_ttl(int fd, Family family, int hops) {
  if (hops < 1 || hops > most_hops) refuse("a ttl of " + std::to_string(hops));
  const bool six = family == Family::ipv6;
  set(fd, six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_UNICAST_HOPS : IP_TTL, hops, "ttl");
}

void set_broadcast(int fd, bool on) { set(fd, SOL_SOCKET, SO_BROADCAST, on ? 1 : 0, "broadcast"); }

void set_buffer_size(int fd, int which, std::size_t bytes) {
  constexpr std::size_t most = std::numeric_limits<int>::max();
  if (bytes > most) refuse("a buffer of " + std::to_string(bytes) + " bytes");
  set(fd, SOL_SOCKET, which, static_cast<int>(bytes), "buffer size");
}

std::size_t buffer_size(int fd, int which) {
  const std::optional<int> size = base::socket_option(fd, SOL_SOCKET, which);
  if (!size) throw Error(base::system_code(errno), "buffer size");
  return static_cast<std::size_t>(*size);
}

}  // namespace tine::net
