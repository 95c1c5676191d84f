// A connection: TCP, or over a Unix path.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
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
class SocketState;
}

#pragma GCC visibility push(default)

namespace tine {

// What a Socket is to connect to: the path, if there is one, else host and port.
//
// Node: the options of socket.connect().
struct ConnectOptions {
  // An IP address or a name. Of a name all addresses are tried, one after the other.
  std::string host = "localhost";
  std::uint16_t port = 0;

  // A path of the file system that a server listens at.
  std::string path{};
};

// A connection to another program, for reading and writing.
//
//   "connect"  the connection is there. Not for one that a server has taken
//   "data"     bytes came in. The view is valid for the call
//   "end"      no more will come; once, after all data
//   "drain"    write() has returned false, and half of what it waits for is written
//   "timeout"  nothing went either way for the time that timeout() says. That is all: to close is
//              the listener's business
//   "error"    connecting failed, or the connection did; or bytes could not be written and have no
//              callback to tell. With no listener it comes out of Loop::run(), except when the peer, or
//              the way to it, is gone (EPIPE, ECONNRESET, ETIMEDOUT, ...): a client that goes away is
//              nothing that a server could prevent, and must not end it. "close" tells of that
//   "close"    the last event: both directions are over, or connecting failed, and the descriptor is
//              closed
//
// Reading and writing are those of Stream, in all that its comment says: each direction ends by
// itself, after "end" ours ends too when what is queued is written, and nothing is read until there
// is a "data" listener, or resume(). But a peer that ends, and has sent nothing that is unread, is
// noticed all the same, unless it is paused: so end("Bye") is enough for a client that only listens.
//
// A handle: copy it, keep it, drop it; the socket goes on and its listeners stay until "close". From
// connect() to "close" the loop keeps what is behind it alive, and closes it when it goes; before, it
// belongs to its handles alone. A socket that is open or connecting, and not paused, and bytes that
// are not written yet keep Loop::run() from returning. A default handle is empty: all one may do is
// assign to it, or ask whether it is. Use it on the thread of its loop. Listeners run from the loop,
// never inside a call to this class.
//
// Node: net.Socket, with allowHalfOpen false; Stream says where it differs. There addresses of a
// name are tried at once, in part, and connect() may be called again after "close".
class Socket
    : public Emitter<Event<"connect">, Event<"data", std::string_view>, Event<"end">,
                     Event<"drain">, Event<"timeout">, Event<"error", Error>, Event<"close">> {
 public:
  Socket() = default;
  explicit Socket(Loop& loop);

  // A socket over a connected stream socket, which is taken over, unless this throws Error: the
  // descriptor is none. It is connected from the start, without "connect".
  //
  // Node: new net.Socket({fd}).
  static Socket adopt(Loop& loop, int descriptor);

  // False: it is an empty handle.
  explicit operator bool() const { return state_ != nullptr; }

  // Connects: "connect", or "error" and "close", follow on a later turn. What is written before is
  // queued. EISCONN: it is connected or connecting, or was, which is an "error" and changes nothing.
  void connect(const ConnectOptions& options);

  // Queues bytes, as they are; never blocks. What the kernel takes at once is written at once.
  //
  // False means hold the next bytes until "drain", because 64 KiB or more are queued: these were
  // taken. Or the socket cannot be written (any more), and there will be no "drain".
  //
  // `written` runs exactly once, on a later turn of the loop: without an error when the last of the
  // bytes was given to the kernel. Else they were not all written: why connecting failed, EPIPE or
  // ECONNRESET when the peer went away first, ECANCELED by destroy(), Errc::write_after_end,
  // Errc::stream_destroyed. Without `written` that error, but for destroy()'s, is emitted as "error":
  // only where somebody listens, unless it is because of an earlier end() of one's own.
  bool write(std::string_view bytes, SendCallback written = {});

  // Ends the writing, after some last bytes, once what is queued is written: the peer then reads
  // its end. Only the first call does anything; last bytes of another one are refused as write()
  // does.
  void end(std::string_view last = {});

  // Closes it at once. What is queued is not written, what came in is not told.
  void destroy();

  // Takes the descriptor out: it stays connected, and is the caller's. For the socket this is
  // destroy(); its server counts it no more. -1: it is not connected (any more).
  //
  // What write() took is written first. Throws Error (EAGAIN) if the kernel does not take it all at this
  // moment, or if bytes that came in wait for a listener: nothing has changed then. Once the callback of
  // the last write() has run, all is written.
  //
  // Node: none.
  [[nodiscard]] int release();

  // Stops and starts the reading, as Stream's do.
  void pause();
  void resume();

  // Whether more may come in: until its end has been read, or destroy(). Not before connect().
  bool readable() const;
  // Whether write() takes bytes: until end(), destroy(), or a write that failed.
  bool writable() const;
  // Until "connect", or "close", after connect().
  bool connecting() const;

  // Bytes that are taken and not yet given to the kernel. There is no bound but write()'s answer.
  //
  // Node: writableLength.
  std::size_t queued_bytes() const;

  // Of the two ends. None while it is not connected; what was asked for once is known after it too.
  //
  // Node: remoteAddress, remotePort, remoteFamily, address().
  std::optional<Address> remote_address() const;
  std::optional<Address> local_address() const;

  // Sends small pieces at once instead of waiting for more to send. May be said before connect(), as
  // keep_alive(); over a Unix path both do nothing.
  void no_delay(bool on = true);
  // Asks a silent peer now and then whether it is there, after that time for the first time; at
  // zero, after the system's, hours.
  void keep_alive(bool on = true, std::chrono::seconds after = std::chrono::seconds::zero());
  // "timeout" after that long without a byte either way, once until there is another. Zero: never.
  // It does not keep Loop::run() from returning.
  //
  // Node: setTimeout().
  void timeout(std::chrono::milliseconds idle);

  // Whether the open socket keeps Loop::run() from returning. It does, until unref().
  // Unwritten bytes do always.
  void ref();
  void unref();

 private:
  friend class net::SocketState;
  explicit Socket(std::shared_ptr<net::SocketState> state);

  std::shared_ptr<net::SocketState> state_;
};

}  // namespace tine

#pragma GCC visibility pop
