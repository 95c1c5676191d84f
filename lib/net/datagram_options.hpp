#pragma once

#include <cstddef>
#include <string>

#include "tine/address.hpp"

// What a UDP socket of a family may be told beside where it is. All throw Error: EINVAL for an address that is
// none, or of the other family, and for a number that is out of range.
namespace tine::net {

// A group that is joined, or left.
struct Membership {
  std::string group;
  std::string interface {};  // as multicast_interface() takes it; empty: the system chooses
  std::string source{};      // empty: whoever sends
};
void join(int fd, Family family, const Membership& membership);
void leave(int fd, Family family, const Membership& membership);

// IPv4: an address of the interface, or "0.0.0.0". IPv6: "::%eth0", or "::".
void set_multicast_interface(int fd, Family family, const std::string& interface);
void set_multicast_loopback(int fd, Family family, bool on);
void set_multicast_ttl(int fd, Family family, int hops);
void set_ttl(int fd, Family family, int hops);
void set_broadcast(int fd, bool on);

// SO_RCVBUF or SO_SNDBUF.
void set_buffer_size(int fd, int which, std::size_t bytes);
std::size_t buffer_size(int fd, int which);

}  // namespace tine::net
