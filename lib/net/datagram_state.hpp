#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "base/descriptor.hpp"
#include "base/error_events.hpp"
#include "net/bound_socket.hpp"
#include "net/listener_source.hpp"
#include "net/socket_address.hpp"
#include "tine/datagram.hpp"
#include "uv/event_sequence.hpp"
#include "uv/keep_alive.hpp"
#include "uv/lookup.hpp"
#include "uv/loop_core.hpp"
#include "uv/poll.hpp"

namespace tine::net {

// The state behind tine::Datagram. The loop keeps it from the first binding to "close".
class DatagramState final : public Datagram::Listeners,
                            public std::enable_shared_from_this<DatagramState>,
                            public uv::Resident,
                            public ListenerUser {
 public:
  DatagramState(uv::LoopCore& core, Family family) : Resident(core), family_(family) {}

  Datagram handle() { return Datagram(shared_from_this()); }
  // Null for an empty handle.
  static const std::shared_ptr<DatagramState>& of(const Datagram& handle) { return handle.state_; }
  Family family() const { return family_; }

  void bind(const BindOptions& options);
  // Takes over a bound UDP socket and starts to receive. Throws Error.
  void open(base::Descriptor socket);
  void send(std::string_view bytes, const Address& to, SendCallback sent);
  // Sends to the connected peer.
  void send(std::string_view bytes, SendCallback sent);
  void connect(const Address& to);
  // Throws Error.
  void disconnect();
  void close();
  // For a listener source: closes, then calls `closed` on a later turn.
  void close(Callback<void()> closed) override;
  bool accepted(base::Descriptor&) override { return false; }
  // Returns the descriptor and closes. If there is none, only returns an empty one. Throws Error
  // (EAGAIN) if messages are still unsent.
  base::Descriptor release();
  // Throws Error if there is no descriptor.
  base::Descriptor duplicate() const;

  std::optional<Address> address() const;
  std::optional<Address> remote_address() const;
  // Binds the socket to a free port of its own, unless it is bound or starting. Throws Error.
  void need_bound();
  // The descriptor. Throws Error if the socket is not bound.
  int fd() const;
  void set_ref(bool ref);

  void loop_closing() noexcept override;
  void listeners_changed() override { check_thread(); }

 private:
  // starting: the host is being looked up, or the source has been asked.
  enum class State { idle, starting, bound, closed };

  // What is emitted or called, in this order. closed: "close" was emitted, and the loop is still to
  // release this.
  enum class Due { error, listening, connect, sent, close, closed };

  struct Message {
    std::optional<SocketAddress> to;  // none: the connected peer
    std::string bytes;
    SendCallback sent;
  };
  struct Sent {
    SendCallback callback;
    std::error_code error;
  };
  struct Failure {
    Error error;
    bool is_loss = false;  // emitted only if there is a listener
  };

  int ip_family() const { return family_ == Family::ipv6 ? AF_INET6 : AF_INET; }
  void start(const BindOptions& options);
  void find(const std::optional<SocketAddress>& where);
  void ask(ListenerSource& source, const std::optional<SocketAddress>& where);
  void answered(ListenerAnswer answer);
  void bind_alone(const SocketAddress& where);
  void fail(Error error);
  void stop() noexcept;

  void ready();
  void receive_some();
  bool receive_one();

  void connect_now();
  void send_or_queue(std::string_view bytes, const std::optional<SocketAddress>& to,
                     SendCallback sent);
  int try_send(std::string_view bytes, const std::optional<SocketAddress>& to) noexcept;
  void send_queued();
  void finished(SendCallback callback, std::error_code error);
  void cancel_queued(std::error_code why);
  void failed(std::error_code error, const std::string& what);
  void lost(std::error_code error, const std::string& what);
  void update_poll() noexcept;

  void schedule(Due event) noexcept;
  void emit(Due event);
  void emit_error(const Failure& failure);
  void emit_close(Due event);

  const Family family_;
  State state_ = State::idle;
  BindOptions options_;
  bool ref_ = true;

  // While starting, one of these is set.
  std::unique_ptr<uv::Lookup> lookup_;
  std::optional<uv::KeepAlive> keep_alive_;

  std::optional<base::Descriptor> socket_;
  std::optional<uv::Poll> poll_;
  std::optional<Address> bound_at_;
  std::optional<SocketAddress> connecting_;  // where to connect once bound
  bool connected_ = false;
  std::shared_ptr<void> lease_;
  std::unique_ptr<char[]> room_;
  std::deque<Message> queue_;

  std::deque<Failure> errors_;
  std::deque<Sent> sent_;
  base::ErrorEvents error_events_;
  uv::EventSequence<Due> due_{[this](Due event) { emit(event); }};
};

// Creates a datagram socket over a bound UDP socket. Throws Error.
std::shared_ptr<DatagramState> make_datagram(uv::LoopCore& core, base::Descriptor socket);

}  // namespace tine::net
