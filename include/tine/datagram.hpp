// Datagrams: UDP.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tine/address.hpp"
#include "tine/channel.hpp"
#include "tine/emitter.hpp"
#include "tine/error.hpp"
#include "tine/loop.hpp"

namespace tine::net {
class DatagramState;
}

#pragma GCC visibility push(default)

namespace tine {

// Where a Datagram is to receive, and how.
//
// Node: the options of socket.bind() and of dgram.createSocket().
struct BindOptions {
  // An IP address or a name, which is looked up. Empty: all addresses of this machine.
  std::string host{};
  // 0: one that is free, which address() tells.
  std::uint16_t port = 0;

  // A socket that is bound there already does not matter; the last one gets what comes.
  bool reuse_address = false;
  // Other sockets, of this user, may be bound there too if they say the same; the kernel spreads
  // what comes over them. In a worker of a cluster it is `exclusive` too: each has a socket of its own.
  bool reuse_port = false;
  // Of "::": not IPv4 too.
  bool ipv6_only = false;

  // In a worker of a cluster: a socket of its own, not one that is shared with the other workers.
  bool exclusive = false;
};

// A UDP socket.
//
//   tine::Datagram socket(loop, tine::Family::ipv4);
//   socket.on<"message">([=](std::string_view bytes, const tine::Address& from) mutable {
//     socket.send(bytes, from);
//   });
//   socket.bind({.port = 41234});
//
//   "listening"  it is bound, and receives
//   "connect"    it is connected, after connect()
//   "message"    one came in, whole, with where it came from. The view is valid for the call
//   "error"      binding, connecting or receiving failed, or a message could not be sent and has no
//                callback to tell. With no listener it comes out of Loop::run(), except when a message is
//                lost because its receiver, or the way there, is gone (ECONNREFUSED, ENETUNREACH, ...). The
//                socket is not closed; one that could not be bound may be bound again
//   "close"      the last event, after close()
//
// A handle: copy it, keep it, drop it; the socket goes on and its listeners stay until "close". From
// bind() or the first send() to "close" the loop keeps what is behind it alive, and closes it when it
// goes; before, it belongs to its handles alone. A bound socket keeps Loop::run() from returning. A
// default handle is empty: all one may do is assign to it, or ask whether it is. Use it on the
// thread of its loop. Listeners run from the loop, never inside a call to this class.
//
// Node: dgram.Socket. Unlike Node, send() and connect() do not look names up.
class Datagram : public Emitter<Event<"listening">, Event<"connect">,
                                Event<"message", std::string_view, Address>, Event<"error", Error>,
                                Event<"close">> {
 public:
  Datagram() = default;
  // Of one family: ipv4 or ipv6.
  Datagram(Loop& loop, Family family);

  // Over a UDP socket that is bound, which is taken over, unless this throws Error: the descriptor is
  // none. "listening" follows.
  //
  // Node: socket.bind({fd}).
  static Datagram adopt(Loop& loop, int descriptor);

  // False: it is an empty handle.
  explicit operator bool() const { return state_ != nullptr; }

  // Starts to receive: "listening" or "error" follows, on a later turn. Errc::already_bound: it does
  // or did.
  void bind(const BindOptions& options = {});

  // Sends a message. Binds to a free port first if bind() was not called: one of its own in a worker of
  // a cluster too, where the answers come to.
  //
  // `to` is an IP address, of the family of the socket. `sent` runs exactly once, on a later turn:
  // without an error when the kernel has taken the message, which may be lost all the same. Else
  // EMSGSIZE, EINVAL for an address that is none, EISCONN after connect(), why binding failed, ECANCELED by close(),
  // Errc::socket_not_running after it. Without `sent` that error, but for close()'s, is emitted as
  // "error".
  void send(std::string_view bytes, const Address& to, SendCallback sent = {});

  // The same, to where it is connected, or will be. EDESTADDRREQ: connect() was not called. ECONNREFUSED:
  // nobody received an earlier message, and this one was not sent.
  void send(std::string_view bytes, SendCallback sent = {});

  // Has one peer from then on: messages of others are not received. Binds first as send() does. "connect"
  // or "error" follows, on a later turn. EINVAL: `to` is no IP address. EISCONN: it is connected, which is
  // an "error" and changes nothing.
  void connect(const Address& to);
  // Has none again, and stays where it is bound. Throws Error: ENOTCONN, or why it is not bound any more.
  void disconnect();

  // Closes it: "close" follows on a later turn. What could not be sent yet is not.
  void close();

  // Takes the descriptor out: it stays bound, and is the caller's. For the socket this is close().
  // -1: there is none. Throws Error (EAGAIN) if the kernel does not take at this moment what is still to
  // be sent: nothing has changed then.
  //
  // Node: none.
  [[nodiscard]] int release();

  // Where it receives; none if it is not bound (any more).
  std::optional<Address> address() const;
  // What it is connected to; none if it is not.
  std::optional<Address> remote_address() const;

  // What follows is for a socket that is bound: after bind() with an IP address or none, or from
  // "listening" on. All throw Error: EBADF if it is not bound, Errc::socket_not_running after close(),
  // EINVAL for an address that is none, or of the other family, or a number out of range; else what the
  // system says.
  //
  // Node: the same, in camel case: addMembership(), setMulticastTTL(), getRecvBufferSize(), ...

  // Receives what is sent to a group, at the port where it is bound, until it drops the membership or
  // closes. Binds first, if bind() was not called, as send() does. `interface`, in IPv4 an address of it, in
  // IPv6 "::%eth0"; empty: the system's choice. EADDRINUSE: it is a member there.
  void add_membership(const std::string& group, const std::string& interface = {});
  // EADDRNOTAVAIL: it is no member there.
  void drop_membership(const std::string& group, const std::string& interface = {});
  // The same for what one source sends.
  void add_source_specific_membership(const std::string& source, const std::string& group,
                                      const std::string& interface = {});
  void drop_source_specific_membership(const std::string& source, const std::string& group,
                                       const std::string& interface = {});

  // Where messages to groups go out, as of add_membership(); "0.0.0.0" and "::": the system's choice.
  void multicast_interface(const std::string& interface);
  // Whether members on this machine get them too. They do.
  void multicast_loopback(bool on = true);
  // How many routers they may pass, from 0 (none leaves the machine) to 255. 1.
  void multicast_ttl(int hops);

  // The same for all other messages, from 1 to 255. 64, or as the system is set.
  void ttl(int hops);
  // Whether it may send to broadcast addresses. It may not, which is EACCES.
  void broadcast(bool on = true);

  // What the kernel holds for it, in bytes. Linux: twice of what was asked for, within its bounds.
  void receive_buffer_size(std::size_t bytes);
  void send_buffer_size(std::size_t bytes);
  std::size_t receive_buffer_size() const;
  std::size_t send_buffer_size() const;

  // Whether receiving keeps Loop::run() from returning. It does, until unref(). Messages that are
  // not sent yet do always.
  void ref();
  void unref();

 private:
  friend class net::DatagramState;
  explicit Datagram(std::shared_ptr<net::DatagramState> state);

  std::shared_ptr<net::DatagramState> state_;
};

}  // namespace tine

#pragma GCC visibility pop
