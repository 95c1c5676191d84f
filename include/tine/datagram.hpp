// Datagrams: UDP.
#pragma once

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
//   "message"    one came in, whole, with where it came from. The view is valid for the call
//   "error"      binding or receiving failed, or a message could not be sent and has no callback to
//                tell. With no listener it comes out of Loop::run(). The socket is not closed; one
//                that could not be bound may be bound again
//   "close"      the last event, after close()
//
// A handle: copy it, keep it, drop it; the socket goes on and its listeners stay until "close". From
// bind() or the first send() to "close" the loop keeps what is behind it alive, and closes it when it
// goes; before, it belongs to its handles alone. A bound socket keeps Loop::run() from returning. A
// default handle is empty: all one may do is assign to it, or ask whether it is. Use it on the
// thread of its loop. Listeners run from the loop, never inside a call to this class.
//
// Node: dgram.Socket. Unlike Node, send() does not look names up.
class Datagram : public Emitter<Event<"listening">, Event<"message", std::string_view, Address>,
                                Event<"error", Error>, Event<"close">> {
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
  // EMSGSIZE, EINVAL for an address that is none, why binding failed, ECANCELED by close(),
  // Errc::socket_not_running after it. Without `sent` that error, but for close()'s, is emitted as
  // "error".
  void send(std::string_view bytes, const Address& to, SendCallback sent = {});

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
