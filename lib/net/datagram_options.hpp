#pragma once

#include <cstddef>
#include <string>

#include "tine/address.hpp"

// The options of a UDP socket, apart from its address. All functions throw Error: EINVAL for a text
// that is not an address of the given family, and for a number out of range.
namespace tine::net {

// A multicast group to join or to leave.
struct Membership {
  std::string group;
  std::string interface {};  // as for set_multicast_interface(); empty: the system chooses
  std::string source{};      // empty: any sender
};
void join(int fd, Family family, const Membership& membership);
void leave(int fd, Family family, const Membership& membership);

// IPv4: an address of the interface. IPv6: "::%eth0". With "0.0.0.0" and "::" the system chooses.
void set_multicast_interface(int fd, Family family, const std::string& interface);
void set_multicast_loopback(int fd, Family family, bool on);
void set_multicast_ttl(int fd, Family family, int hops);
void set_ttl(int fd, Family family, int hops);
void set_broadcast(int fd, bool on);

// `which` is SO_RCVBUF or SO_SNDBUF.
void set_buffer_size(int fd, int which, std::size_t bytes);
std::size_t buffer_size(int fd, int which);

}  // namespace tine::net
