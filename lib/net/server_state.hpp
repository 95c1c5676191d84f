#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/descriptor.hpp"
#include "base/error_events.hpp"
#include "net/bound_socket.hpp"
#include "net/listener_source.hpp"
#include "net/peer_connections.hpp"
#include "net/server_connections.hpp"
#include "tine/server.hpp"
#include "uv/event_sequence.hpp"
#include "uv/keep_alive.hpp"
#include "uv/listener.hpp"
#include "uv/lookup.hpp"
#include "uv/loop_core.hpp"

namespace tine::net {

// The state behind tine::Server. The loop keeps it from listen() to "close".
class ServerState final : public Server::Listeners,
                          public std::enable_shared_from_this<ServerState>,
                          public uv::Resident,
                          public ListenerUser,
                          private uv::Listener::User {
 public:
  explicit ServerState(uv::LoopCore& core) : Resident(core) {}

  Server handle() { return Server(shared_from_this()); }
  // Null for an empty handle.
  static const std::shared_ptr<ServerState>& of(const Server& handle) { return handle.state_; }

  void listen(const ListenOptions& options);
  // Listens on a bound stream socket.
  void listen_on(base::Descriptor socket, int backlog);
  void close(Callback<void()> closed) override;
  // Returns the listening descriptor and closes. If there is none, only returns an empty one.
  base::Descriptor release();
  // Throws Error if there is no descriptor.
  base::Descriptor duplicate() const;

  bool listening() const { return state_ == State::listening; }
  std::optional<Address> address() const;
  void set_ref(bool ref);
  void set_max_connections(std::optional<std::size_t> most) { connections_.set_most(most); }
  std::optional<std::size_t> max_connections() const { return connections_.most(); }

  // The name by which connections that are passed to another process refer to their server, from
  // "listening" on: `<addressType>:<address>:<port>:<number>`. The number is unique in this
  // process, because several servers may have had the same address.
  const std::string& key() const { return key_; }

  bool accepted(base::Descriptor& connection) override;

  // Adds connections that were passed to another process: connections() counts them, and "close"
  // waits for them. To be called before the passed socket is released.
  void add_peer_connections(std::shared_ptr<PeerConnections> connections);
  void remove_peer_connections(const PeerConnections& connections);
  void count_connections(ServerConnections::Counted counted);

  // To be called when a connection of this process has closed or was released.
  void connection_ended() noexcept;

  void loop_closing() noexcept override;
  void listeners_changed() override { check_thread(); }

 private:
  // starting: the host is being looked up, or the source has been asked. closing: connections are
  // still open.
  enum class State { idle, starting, listening, closing, closed };

  // What is emitted or called, in this order. close_callbacks: those of close().
  enum class Due { error, listening, connection, drop, close, close_callbacks };

  void on_connection(base::Descriptor connection) override;
  void on_no_descriptor(base::Descriptor connection) override { drop(std::move(connection)); }
  void on_broken(int error) override;

  void start(const ListenOptions& options);
  void start_at_descriptor();
  void resolve();
  void find(std::optional<Address> where);
  void ask(ListenerSource& source, std::optional<Address> where);
  void answered(ListenerAnswer answer);
  void listen_alone(const std::optional<Address>& where);
  void listen_at(base::Descriptor socket);
  void now_listening();
  void fail(Error error);
  void stop() noexcept;

  void drop(base::Descriptor connection);
  std::optional<Socket> take(base::Descriptor connection);
  void wait_for(const std::shared_ptr<PeerConnections>& connections);
  void close_if_ended() noexcept;

  void schedule(Due event) noexcept;
  void emit(Due event);
  void emit_error(const Error& error);
  void emit_connection(Socket& socket);
  void emit_close();
  void call_close_callbacks();

  State state_ = State::idle;
  ListenOptions options_;
  std::string where_;  // the address, as it appears in errors
  std::string key_;
  bool ref_ = true;

  // While starting: the lookup, or keep_alive_ until the source answers. Then the listener, or
  // keep_alive_ while the source hands in connections.
  std::unique_ptr<uv::Lookup> lookup_;
  std::optional<uv::KeepAlive> keep_alive_;
  std::shared_ptr<uv::Listener> listener_;
  std::optional<Address> handed_address_;
  std::shared_ptr<void> lease_;
  std::function<void()> tell_ended_;  // notifies the source of an ended connection
  std::optional<BoundPath> path_;

  ServerConnections connections_;

  std::deque<Error> errors_;
  std::deque<Socket> handed_;
  std::deque<Address> drops_;
  std::deque<Callback<void()>> closed_;
  base::ErrorEvents error_events_;
  uv::EventSequence<Due> due_{[this](Due event) { emit(event); }};
};

// Creates a server over a bound stream socket. Throws Error.
std::shared_ptr<ServerState> make_server(uv::LoopCore& core, base::Descriptor socket);

}  // namespace tine::net
