// A server: accepts connections at a port or a path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

#include "tine/address.hpp"
#include "tine/callback.hpp"
#include "tine/detail/export.hpp"
#include "tine/emitter.hpp"
#include "tine/error.hpp"
#include "tine/loop.hpp"
#include "tine/socket.hpp"

namespace tine::net {
class ServerState;
}

namespace tine {

// Where and how a Server listens. If several of these are given, the descriptor comes before the
// path, and the path before host and port.
//
// Node: the options of server.listen().
struct ListenOptions {
  // An IP address or a name, which is looked up. Empty: all addresses of this machine, IPv6 and
  // IPv4 ("::"), or only IPv4 if there is no IPv6.
  std::string host{};
  // 0: a free port, which address() returns.
  std::uint16_t port = 0;

  // A file system path, instead of host and port. It must not exist yet; it is removed when the
  // server is closed. readable_all and writable_all give all users these permissions on the path,
  // so that they may connect.
  std::string path{};
  bool readable_all = false;
  bool writable_all = false;

  // A bound stream socket, instead. The server takes ownership even if listening fails. In a worker
  // of a cluster, unless `exclusive` is set, this is the number of a descriptor of the primary, and
  // stays open there; EINVAL if it is not such a socket.
  int descriptor = -1;

  // How many connections the kernel queues until the program accepts them; the kernel may have a
  // lower limit.
  int backlog = 511;

  // Whether "::" means IPv6 only, without IPv4.
  bool ipv6_only = false;
  // Whether other sockets of the same user may listen at this address if they set this too; the
  // kernel distributes the connections. In a worker of a cluster this implies `exclusive`: each
  // worker has a socket of its own.
  bool reuse_port = false;

  // In a worker of a cluster: a socket of its own instead of one shared with the other workers.
  bool exclusive = false;
};

// A server for TCP, or for a Unix path.
//
//   tine::Server server(loop);
//   server.on<"connection">([](tine::Socket socket) { socket.end("Hello"); });
//   server.listen({.port = 8080});
//
//   "listening"   the server accepts connections
//   "connection"  a connection was accepted. Without a listener it is closed at once
//   "drop"        a connection was closed at once, because max_connections are open, or because
//                 this process has no descriptor left for it; carries the client's address
//   "error"       listening failed: EADDRINUSE, EACCES, Errc::host_not_found, ... The server is
//                 then as before listen(), which may be called again. Without a listener,
//                 Loop::run() throws the error
//   "close"       the last event, after close(): all connections have ended too
//
// A handle: see Emitter; listen() starts it. A listening server keeps Loop::run() from returning.
//
// Node: net.Server. There listen() throws if its options are invalid, close() may be followed by
// another listen(), and a process without descriptors closes connections silently.
class TINE_EXPORT Server
    : public Emitter<Event<"listening">, Event<"connection", Socket>, Event<"drop", Address>,
                     Event<"error", Error>, Event<"close">> {
 public:
  Server() = default;
  explicit Server(Loop& loop);

  // Makes a server that listens on a bound stream socket and takes ownership of the descriptor. If
  // the descriptor is not such a socket, throws Error and does not take it. "listening" or "error"
  // follows.
  //
  // Node: server.listen({fd}).
  static Server adopt(Loop& loop, int descriptor);

  // False for an empty handle.
  explicit operator bool() const { return state_ != nullptr; }

  // Starts to listen: "listening" or "error" follows on a later turn. Errc::already_listening if
  // the server does or did listen.
  void listen(const ListenOptions& options = {}) const;

  // Stops accepting connections. "close" is emitted when the accepted ones have ended; `closed`
  // runs after its listeners.
  //
  // Node: the callback gets an error if the server did not listen.
  void close(Callback<void()> closed = {}) const;

  // Returns the descriptor, still listening, and passes ownership to the caller. Otherwise like
  // close(), except that a path is not removed. -1 if there is no socket, or if it belongs to
  // another process.
  //
  // Node: none.
  [[nodiscard]] int release() const;

  // Whether connections are accepted; possibly before "listening", and until close().
  bool listening() const;

  // The address that the server listens at; nullopt if it does not listen.
  std::optional<Address> address() const;

  // Counts the open connections, including those that were passed to other processes. The callback
  // runs once, on a later turn, with an error if one of these processes did not answer.
  //
  // Node: getConnections().
  void connections(Callback<void(std::error_code, std::size_t)> callback) const;

  // Sets how many connections may be open in this process; further ones are closed at once.
  // nullopt: no limit.
  void max_connections(std::optional<std::size_t> most) const;
  std::optional<std::size_t> max_connections() const;

  // Sets whether listening keeps Loop::run() from returning. It does until unref().
  void ref() const;
  void unref() const;

 private:
  friend class net::ServerState;
  explicit Server(std::shared_ptr<net::ServerState> state);

  std::shared_ptr<net::ServerState> state_;
};

}  // namespace tine
