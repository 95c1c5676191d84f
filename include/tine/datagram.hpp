// Datagrams: UDP.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tine/address.hpp"
#include "tine/detail/export.hpp"
#include "tine/emitter.hpp"
#include "tine/error.hpp"
#include "tine/loop.hpp"
#include "tine/send_callback.hpp"

namespace tine::net {
class DatagramState;
}

namespace tine {

// Where and how a Datagram receives.
//
// Node: the options of socket.bind() and of dgram.createSocket().
struct BindOptions {
  // An IP address or a name, which is looked up. Empty: all addresses of this machine.
  std::string host{};
  // 0: a free port, which address() returns.
  std::uint16_t port = 0;

  // Whether binding succeeds even if another socket is bound there; the last one receives.
  bool reuse_address = false;
  // Whether other sockets of the same user may be bound to this address if they set this too; the
  // kernel distributes the messages. In a worker of a cluster this implies `exclusive`: each worker
  // has a socket of its own.
  bool reuse_port = false;
  // Whether "::" means IPv6 only, without IPv4.
  bool ipv6_only = false;

  // In a worker of a cluster: a socket of its own instead of one shared with the other workers.
  bool exclusive = false;
};

// A UDP socket.
//
//   tine::Datagram socket(loop, tine::Family::ipv4);
//   socket.on<"message">([=](std::string_view bytes, const tine::Address& from) {
//     socket.send(bytes, from);
//   });
//   socket.bind({.port = 41234});
//
//   "listening"  the socket is bound, and receives
//   "connect"    the socket is connected, after connect()
//   "message"    a whole message came in; carries the sender's address. The view is valid during
//                the call
//   "error"      binding, connecting or receiving failed, or a message without a callback could not
//                be sent. Without a listener, Loop::run() throws the error, except if a message is
//                lost because its receiver, or the way there, is gone (ECONNREFUSED, ENETUNREACH,
//                ...). The socket is not closed; if it could not be bound, bind() may be called
//                again
//   "close"      the last event, after close()
//
// A handle: see Emitter; bind(), connect() or the first send() starts it. A bound socket keeps
// Loop::run() from returning.
//
// Node: dgram.Socket. Unlike Node, send() and connect() do not look up names.
class TINE_EXPORT Datagram : public Emitter<Event<"listening">, Event<"connect">,
                                            Event<"message", std::string_view, Address>,
                                            Event<"error", Error>, Event<"close">> {
 public:
  Datagram() = default;
  // `family` is ipv4 or ipv6.
  Datagram(Loop& loop, Family family);

  // Makes a Datagram from a bound UDP socket and takes ownership of the descriptor. If the
  // descriptor is not such a socket, throws Error and does not take it. "listening" follows.
  //
  // Node: socket.bind({fd}).
  static Datagram adopt(Loop& loop, int descriptor);

  // False for an empty handle.
  explicit operator bool() const { return state_ != nullptr; }

  // Starts to receive: "listening" or "error" follows on a later turn. Errc::already_bound if the
  // socket is or was bound.
  void bind(const BindOptions& options = {}) const;

  // Sends a message. If bind() was not called, first binds the socket to a free port, which is its
  // own in a worker of a cluster too, so that it gets the answers.
  //
  // `to` is an IP address of the socket's family. `sent` runs exactly once, on a later turn:
  // without an error when the kernel has taken the message, which may still be lost. Otherwise
  // EMSGSIZE, EINVAL for an invalid address, EISCONN after connect(), the error of binding,
  // ECANCELED because of close(), or Errc::socket_not_running after close(). Without `sent` the
  // error, except ECANCELED, is emitted as "error".
  void send(std::string_view bytes, const Address& to, SendCallback sent = {}) const;

  // Sends a message to the peer that the socket is, or will be, connected to. EDESTADDRREQ if
  // connect() was not called. ECONNREFUSED: nobody received an earlier message, and this one was
  // not sent.
  void send(std::string_view bytes, SendCallback sent = {}) const;

  // Connects the socket to one peer: messages from others are not received from then on. Binds
  // first, as send() does. "connect" or "error" follows on a later turn. EINVAL if `to` is not an
  // IP address. If the socket is already connected, this only emits an "error", EISCONN.
  void connect(const Address& to) const;
  // Disconnects from the peer; the socket stays bound to its address. Throws Error: ENOTCONN, the
  // reason why the socket is not bound any more, or EBADF for an empty handle.
  void disconnect() const;

  // Closes the socket: "close" follows on a later turn. Messages still in the queue are not sent.
  void close() const;

  // Returns the descriptor, still bound, and passes ownership to the caller. Otherwise like
  // close(). -1 if there is no socket. If the kernel does not take the queued messages at this
  // moment, throws Error (EAGAIN) and changes nothing.
  //
  // Node: none.
  [[nodiscard]] int release() const;

  // The address where the socket receives; nullopt if it is not bound, or not any more.
  std::optional<Address> address() const;
  // The address of the peer; nullopt if the socket is not connected.
  std::optional<Address> remote_address() const;

  // The options below need a bound socket: after bind() with an IP address or no host, or from
  // "listening" on. All throw Error: EBADF if the socket is not bound or the handle is empty,
  // Errc::socket_not_running after close(), EINVAL for an address that is invalid or of the other
  // family, or for a number out of range; otherwise the error of the system.
  //
  // Node: the same, in camel case: addMembership(), setMulticastTTL(), getRecvBufferSize(), ...

  // Receives what is sent to a group, at the port of this socket, until the membership is dropped
  // or the socket closed. If bind() was not called, binds first, as send() does. `interface` is an
  // address of the interface for IPv4, and "::%eth0" for IPv6; empty: the system chooses.
  // EADDRINUSE if the socket is already a member there.
  void add_membership(const std::string& group, const std::string& interface = {}) const;
  // Drops a membership. EADDRNOTAVAIL if the socket is not a member there.
  void drop_membership(const std::string& group, const std::string& interface = {}) const;
  // The same, for messages from one source only.
  void add_source_specific_membership(const std::string& source, const std::string& group,
                                      const std::string& interface = {}) const;
  void drop_source_specific_membership(const std::string& source, const std::string& group,
                                       const std::string& interface = {}) const;

  // Sets the interface that messages to groups are sent from, named as in add_membership();
  // "0.0.0.0" and "::": the system chooses.
  void multicast_interface(const std::string& interface) const;
  // Sets whether members on this machine get messages to groups too. They do by default.
  void multicast_loopback(bool on = true) const;
  // Sets the hop limit of messages to groups, from 0 (none leaves the machine) to 255. Default: 1.
  void multicast_ttl(int hops) const;

  // Sets the hop limit of all other messages, from 1 to 255. Default: 64, or what the system is set
  // to.
  void ttl(int hops) const;
  // Sets whether the socket may send to broadcast addresses. By default it may not: EACCES.
  void broadcast(bool on = true) const;

  // The sizes of the kernel's buffers, in bytes. Linux: twice the requested size, within its
  // limits.
  void receive_buffer_size(std::size_t bytes) const;
  void send_buffer_size(std::size_t bytes) const;
  std::size_t receive_buffer_size() const;
  std::size_t send_buffer_size() const;

  // Sets whether receiving keeps Loop::run() from returning. It does until unref(). Unsent messages
  // always do.
  void ref() const;
  void unref() const;

 private:
  friend class net::DatagramState;
  explicit Datagram(std::shared_ptr<net::DatagramState> state);

  std::shared_ptr<net::DatagramState> state_;
};

}  // namespace tine
