// A server: takes the connections that come in at a port or a path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

#include "tine/address.hpp"
#include "tine/emitter.hpp"
#include "tine/error.hpp"
#include "tine/loop.hpp"
#include "tine/socket.hpp"

namespace tine::net {
class ServerState;
}

#pragma GCC visibility push(default)

namespace tine {

// Where a Server is to listen, and how. The first of descriptor, path, and host and port that is
// given counts.
//
// Node: the options of server.listen().
struct ListenOptions {
  // An IP address or a name, which is looked up. Empty: all addresses of this machine, IPv6 and
  // IPv4 ("::"), or only IPv4 where there is no IPv6.
  std::string host{};
  // 0: one that is free, which address() tells.
  std::uint16_t port = 0;

  // A path of the file system instead. It must not be there yet; it is removed when the server is
  // closed. May everybody connect who finds it? Reading and writing are two permissions.
  std::string path{};
  bool readable_all = false;
  bool writable_all = false;

  // A bound stream socket instead. It is taken over, even when that fails. In a worker of a cluster,
  // unless `exclusive` is said, it is one of the primary's, by its number there, and stays open there;
  // EINVAL if that is none.
  int descriptor = -1;

  // How many connections the kernel takes before the program does; it may have a lower bound.
  int backlog = 511;

  // Of "::": not IPv4 too.
  bool ipv6_only = false;
  // Other sockets, of this user, may listen there too if they say the same; the kernel spreads the
  // connections over them. In a worker of a cluster it is `exclusive` too: each has a socket of its own.
  bool reuse_port = false;

  // In a worker of a cluster: a socket of its own, not one that is shared with the other workers.
  bool exclusive = false;
};

// A server for TCP, or for a Unix path.
//
//   tine::Server server(loop);
//   server.on<"connection">([](tine::Socket socket) { socket.end("Hello"); });
//   server.listen({.port = 8080});
//
//   "listening"   connections can come
//   "connection"  one has come. Without a listener it is closed at once
//   "drop"        one was closed at once, because there are max_connections, or because this process
//                 has no descriptor left for it; with where it came from
//   "error"       listening failed: EADDRINUSE, EACCES, Errc::host_not_found, ... The server is then
//                 as before listen(), and may try again. With no listener it comes out of
//                 Loop::run()
//   "close"       the last event, after close(): all connections have ended too
//
// A handle: copy it, keep it, drop it; the server goes on and its listeners stay until "close". From
// listen() to "close" the loop keeps what is behind it alive, and closes it when it goes; a server
// that does not listen belongs to its handles alone. A server that listens keeps Loop::run() from
// returning. A default handle is empty: all one may do is assign to it, or ask whether it is. Use it
// on the thread of its loop. Listeners run from the loop, never inside a call to this class.
//
// Node: net.Server, where a failed listen() of options that cannot be is thrown, close() may be
// followed by another listen(), and a process without descriptors closes connections silently.
class Server : public Emitter<Event<"listening">, Event<"connection", Socket>,
                              Event<"drop", Address>, Event<"error", Error>, Event<"close">> {
 public:
  Server() = default;
  explicit Server(Loop& loop);

  // A server that listens on a stream socket which is bound: it is taken over, unless this throws
  // Error, for a descriptor that is none. "listening" or "error" follows.
  //
  // Node: server.listen({fd}).
  static Server adopt(Loop& loop, int descriptor);

  // False: it is an empty handle.
  explicit operator bool() const { return state_ != nullptr; }

  // Starts to listen: "listening" or "error" follows, on a later turn. Errc::already_listening: it
  // does or did.
  void listen(const ListenOptions& options = {});

  // Takes no more connections. When those that were taken have ended, there is "close"; `closed`
  // runs after its listeners.
  //
  // Node: the callback has an error if the server did not listen.
  void close(std::function<void()> closed = {});

  // Takes the socket out: it goes on to listen, and is the caller's. For the server this is
  // close(), but that a path stays. -1: there is none, or it is another process's.
  //
  // Node: none.
  [[nodiscard]] int release();

  // Whether connections can come, which may be before "listening" and ends with close().
  bool listening() const;

  // Where it listens; none if it does not.
  std::optional<Address> address() const;

  // Asks how many connections are open, those that were passed to other processes included. The
  // callback runs once, on a later turn, with an error if one of these did not answer.
  //
  // Node: getConnections().
  void connections(std::function<void(std::error_code, std::size_t)> callback) const;

  // How many connections may be open in this process; one that is more is closed at once. None: any
  // number.
  void max_connections(std::optional<std::size_t> most);
  std::optional<std::size_t> max_connections() const;

  // Whether listening keeps Loop::run() from returning. It does, until unref().
  void ref();
  void unref();

 private:
  friend class net::ServerState;
  explicit Server(std::shared_ptr<net::ServerState> state);

  std::shared_ptr<net::ServerState> state_;
};

}  // namespace tine

#pragma GCC visibility pop
