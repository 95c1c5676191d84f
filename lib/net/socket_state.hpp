#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

#include "base/descriptor.hpp"
#include "net/byte_stream_state.hpp"
#include "net/connecting.hpp"
#include "net/idle_timeout.hpp"
#include "net/socket_address.hpp"
#include "net/tcp_options.hpp"
#include "tine/socket.hpp"
#include "uv/event_sequence.hpp"
#include "uv/loop_core.hpp"

namespace tine::net {

class ServerState;

// The state behind tine::Socket. The loop keeps it from connect() or open() to "close".
class SocketState final : public ByteStreamState<Socket::Listeners> {
 public:
  explicit SocketState(uv::LoopCore& core);

  Socket handle();
  // Null for an empty handle.
  static const std::shared_ptr<SocketState>& of(const Socket& handle) { return handle.state_; }

  void connect(const ConnectOptions& options);
  // Connects to the first of these addresses that accepts. There must be at least one. Errors
  // contain `target`. For tests: what they look up has one address only.
  void connect_to(std::deque<SocketAddress> addresses, std::string target);
  // Takes over a connected socket. `server` is the one that has accepted and counts it, or null.
  // Throws Error.
  void open(base::Descriptor socket, std::shared_ptr<ServerState> server);
  void destroy() noexcept;
  // Writes what is queued, so that release() loses no bytes. Throws Error (EAGAIN) if some would be
  // lost.
  void flush();
  // Returns the descriptor and closes. If there is none, only returns an empty one.
  base::Descriptor release() noexcept;
  // Throws Error if there is no descriptor.
  base::Descriptor duplicate() const;

  // The server that has accepted this socket, or null.
  const std::shared_ptr<ServerState>& server() const { return server_; }

  bool connecting() const { return state_ == State::connecting && !closed(); }
  bool readable() const { return state_ != State::idle && bytes().readable(); }
  std::optional<Address> remote_address();
  std::optional<Address> local_address();

  void set_ref(bool ref);
  void set_no_delay(bool on);
  void set_keep_alive(bool on, std::chrono::seconds after);
  void set_timeout(std::chrono::milliseconds idle);

  void on_open_error(std::error_code why) override;
  void on_closed() override;
  void on_activity() noexcept override;

  void loop_closing() noexcept override;

 private:
  enum class State { idle, connecting, connected };

  // What this class emits; ByteStream emits the rest.
  enum class Due { connect, error, timeout };

  bool start();
  void start_connecting(const ConnectOptions& options);
  void connected(base::Descriptor socket);
  void connect_failed(std::error_code why) noexcept;
  void leave_server() noexcept;
  void apply_options() noexcept;

  void schedule(Due event) noexcept;
  void emit(Due event);

  State state_ = State::idle;
  bool ref_ = true;
  std::shared_ptr<ServerState> server_;
  bool counted_ = false;  // by server_

  std::string target_;  // of connect(), as it appears in errors
  std::optional<Connecting> connecting_;

  std::optional<Address> remote_;
  std::optional<Address> local_;
  TcpOptions options_;
  IdleTimeout timeout_{[this] { schedule(Due::timeout); }};

  std::deque<Error> errors_;
  uv::EventSequence<Due> due_{[this](Due event) { emit(event); }};
};

// Creates a socket over a connected stream socket. Throws Error.
std::shared_ptr<SocketState> make_socket(uv::LoopCore& core, base::Descriptor socket,
                                         std::shared_ptr<ServerState> server = nullptr);

}  // namespace tine::net
