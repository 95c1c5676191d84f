#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "tine/address.hpp"
#include "uv/descriptor.hpp"
#include "uv/loop_core.hpp"

namespace tine::net {

// Who asks for a socket to listen on: a server or a datagram socket.
class ListenerUser {
 public:
  // A connection that somebody else has accepted: it is taken, counted and emitted as if this had.
  // False, and it is not taken: the server is closed, or has as many as it may.
  virtual bool accepted(uv::Descriptor& connection) = 0;
  // As the user would, to be told when it is closed.
  virtual void close(std::function<void()> closed) = 0;

 protected:
  ~ListenerUser() = default;
};

// Where a server or a datagram socket would be bound.
struct ListenerQuery {
  enum class Kind { stream, udp4, udp6 };

  Kind kind = Kind::stream;
  // One that is bound, in the process of whom is asked, instead of an address.
  int descriptor = -1;
  // None: all addresses of the machine, at that port.
  std::optional<Address> address{};
  std::uint16_t port = 0;
  int backlog = 0;
  // Of a path.
  bool readable_all = false;
  bool writable_all = false;
  bool ipv6_only = false;
  bool reuse_address = false;
  bool reuse_port = false;
};

// One of three: an errno; a socket that is bound there, and shared with others; or neither, and
// connections are handed to ListenerUser::accepted().
struct ListenerAnswer {
  int error = 0;
  std::optional<uv::Descriptor> descriptor{};
  // What a server without a socket tells to be its address.
  std::optional<Address> address{};
  // Called, by a task or inside LoopCore::enter(), for each connection of the server that has ended.
  std::function<void()> connection_ended{};
  // Held until the server does not listen any more; its end is how the source learns of that.
  std::shared_ptr<void> lease{};
};

// Finds sockets to listen on for all servers and datagram sockets of a loop, but those that are to be
// exclusive: a cluster's primary has them. LoopCore::extend() installs it; without one they make
// their own.
class ListenerSource : public uv::Extension {
 public:
  using Answered = std::function<void(ListenerAnswer answer)>;

  // `answered` is called once, later, by a task or inside
  // LoopCore::enter(). It may be dropped without a call, when the loop goes.
  virtual void find(const ListenerQuery& query, std::weak_ptr<ListenerUser> user,
                    Answered answered) = 0;
};

// Null: there is none.
inline ListenerSource* listener_source(const uv::LoopCore& core) {
  return dynamic_cast<ListenerSource*>(core.extension());
}

}  // namespace tine::net
