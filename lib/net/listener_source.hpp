#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "base/descriptor.hpp"
#include "tine/address.hpp"
#include "tine/callback.hpp"
#include "tine/loop.hpp"
#include "uv/loop_core.hpp"

namespace tine::net {

// A server or a datagram socket that asks for a socket to listen on.
class ListenerUser {
 public:
  // Takes a connection that the source has accepted; it is counted and emitted like any other.
  // Returns false, without taking it, if the server is closed or has as many connections as it may.
  virtual bool accepted(base::Descriptor& connection) = 0;
  // Closes like the user's close(), then calls `closed`.
  virtual void close(Callback<void()> closed) = 0;

 protected:
  ~ListenerUser() = default;
};

// Where a server or a datagram socket is to be bound.
struct ListenerQuery {
  enum class Kind { stream, udp4, udp6 };

  Kind kind = Kind::stream;
  // Instead of an address: a bound descriptor, by its number in the process that is asked.
  int descriptor = -1;
  // None: all addresses of the machine, at `port`.
  std::optional<Address> address{};
  std::uint16_t port = 0;
  int backlog = 0;
  // For a path: its permissions for all users.
  bool readable_all = false;
  bool writable_all = false;
  bool ipv6_only = false;
  bool reuse_address = false;
  bool reuse_port = false;
};

// The answer to a query, one of three: an errno; a bound socket, which others may share; or
// neither, if connections are handed to ListenerUser::accepted().
struct ListenerAnswer {
  int error = 0;
  std::optional<base::Descriptor> descriptor{};
  // The address that a server without a socket reports.
  std::optional<Address> address{};
  // Called for each connection of the server that has closed or was released.
  std::function<void()> connection_ended{};
  // To be held while the server or datagram socket is open. When it is destroyed, the source learns
  // that the socket is no longer needed.
  std::shared_ptr<void> lease{};
};

// A source of sockets for all servers and datagram sockets of a loop that are not exclusive. In a
// cluster, the sockets come from the primary. Without a source (see InstalledSource), servers and
// datagram sockets bind their own.
class ListenerSource : public uv::Extension {
 public:
  using Answered = std::function<void(ListenerAnswer answer)>;

  // Calls `answered` once, on a later turn, from a task or inside LoopCore::enter(). There is no
  // call if the loop goes away first, or if the source closes `user` instead.
  virtual void find(const ListenerQuery& query, std::weak_ptr<ListenerUser> user,
                    Answered answered) = 0;
};

// Makes the servers and datagram sockets that start on a loop ask a source, as long as this exists.
// The loop must outlive it.
class InstalledSource {
 public:
  InstalledSource(Loop& loop, std::shared_ptr<ListenerSource> source)
      : core_(core_of(loop)), source_(std::move(source)) {
    core_.add_extension(source_);
  }
  InstalledSource(const InstalledSource&) = delete;
  InstalledSource& operator=(const InstalledSource&) = delete;
  ~InstalledSource() { core_.remove_extension(*source_); }

 private:
  uv::LoopCore& core_;
  std::shared_ptr<ListenerSource> source_;
};

// Null if there is none.
inline ListenerSource* listener_source(const uv::LoopCore& core) {
  return core.extension<ListenerSource>();
}

}  // namespace tine::net
