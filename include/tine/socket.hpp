// A connection over TCP or a Unix domain socket.
#pragma once

#include <chrono>
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
class SocketState;
}

namespace tine {

// Where a Socket connects to: the path, if there is one, otherwise host and port.
//
// Node: the options of socket.connect().
struct ConnectOptions {
  // An IP address or a name. The addresses of a name are tried one after the other.
  std::string host = "localhost";
  std::uint16_t port = 0;

  // The file system path that a server listens at.
  std::string path{};
};

// A connection to another program, for reading and writing.
//
//   "connect"  the connection is established; not emitted for one that a server accepted
//   "data"     bytes came in. The view is valid during the call
//   "end"      no more data will come; once, after all data
//   "drain"    after write() returned false: the queue is down to 32 KiB
//   "timeout"  no byte went either way for the time set by timeout(). Nothing else happens: closing
//              is left to the listener
//   "error"    connecting or the connection failed, or bytes without a callback could not be
//              written. Without a listener, Loop::run() throws the error, except if the peer, or
//              the way to it, is gone (EPIPE, ECONNRESET, ETIMEDOUT, ...): then only "close"
//              follows. A server cannot prevent that a client goes away, so this must not end it
//   "close"    the last event: both directions have ended, or connecting failed, and the descriptor
//              is closed
//
// Reading and writing work as described at Stream: each direction ends by itself, after "end"
// writing ends too once the queue is written, and nothing is read until there is a "data" listener,
// or resume(). One thing differs: if the peer ends and all its data has been read, this is noticed
// even if nobody reads, unless the socket is paused. So end("Bye") is enough for a client that only
// listens.
//
// A handle: see Emitter; connect() starts it. A socket that is open or connecting, and not paused,
// keeps Loop::run() from returning, and so do unwritten bytes.
//
// Node: net.Socket, with allowHalfOpen false; Stream says where it differs. In Node several
// addresses of a name may be tried at the same time, and connect() may be called again after
// "close".
class TINE_EXPORT Socket
    : public Emitter<Event<"connect">, Event<"data", std::string_view>, Event<"end">,
                     Event<"drain">, Event<"timeout">, Event<"error", Error>, Event<"close">> {
 public:
  Socket() = default;
  explicit Socket(Loop& loop);

  // Makes a socket from a connected stream socket and takes ownership of the descriptor. If the
  // descriptor is not such a socket, throws Error and does not take it. The socket is connected
  // from the start, without "connect".
  //
  // Node: new net.Socket({fd}).
  static Socket adopt(Loop& loop, int descriptor);

  // False for an empty handle.
  explicit operator bool() const { return state_ != nullptr; }

  // Connects. On a later turn "connect" follows, or "error" and "close". Bytes written before that
  // are queued. If the socket is or was connected or connecting, this only emits an "error",
  // EISCONN.
  void connect(const ConnectOptions& options) const;

  // Queues bytes, unchanged; never blocks. What the kernel takes at once is written at once.
  //
  // False means: wait for "drain" before you write more, because 64 KiB or more are queued; these
  // bytes were taken. Or the socket is not writable any more; then there is no "drain".
  //
  // `written` runs exactly once, on a later turn of the loop: without an error when the last of the
  // bytes was given to the kernel. Otherwise not all were written: the error of connecting, EPIPE
  // or ECONNRESET if the peer went away first, ECANCELED because of destroy(),
  // Errc::write_after_end, Errc::stream_destroyed. Without `written` the error is emitted as
  // "error", except destroy()'s; if its cause is not your own earlier end(), it is emitted only if
  // there is a listener.
  bool write(std::string_view bytes, SendCallback written = {}) const;

  // Ends writing, after some last bytes, once the queue is written: the peer then reads EOF. Only
  // the first call has an effect; the last bytes of a further call are refused as by write().
  void end(std::string_view last = {}) const;

  // Closes the socket at once. Queued bytes are not written, received bytes are not delivered.
  void destroy() const;

  // Returns the descriptor, still connected, and passes ownership to the caller. Otherwise like
  // destroy(): the server no longer counts the connection. -1 if the socket is not connected, or
  // not any more.
  //
  // The bytes that write() took are written first. If the kernel does not take them all at this
  // moment, or if received bytes wait for a listener, throws Error (EAGAIN) and changes nothing.
  // Once the callback of the last write() has run, everything has been written.
  //
  // Node: none.
  [[nodiscard]] int release() const;

  // Stops and restarts reading, like Stream's.
  void pause() const;
  void resume() const;

  // Whether more data may come: from connect() until the EOF has been read, or destroy().
  bool readable() const;
  // Whether write() takes bytes: until end(), destroy(), or a failed write.
  bool writable() const;
  // Whether connecting is in progress: from connect() until "connect" or "close".
  bool connecting() const;

  // Bytes that were taken and not yet given to the kernel. The queue has no limit: only write()'s
  // return value asks the caller to stop.
  //
  // Node: writableLength.
  std::size_t queued_bytes() const;

  // The addresses of the two ends. nullopt if the socket is not connected; but an address that was
  // asked for once stays available.
  //
  // Node: remoteAddress, remotePort, remoteFamily, address().
  std::optional<Address> remote_address() const;
  std::optional<Address> local_address() const;

  // Sends small pieces at once instead of waiting for more data. This and keep_alive() may be
  // called before connect(); for a Unix path both are no-ops.
  void no_delay(bool on = true) const;
  // Probes a silent peer from time to time, for the first time after `after`; zero means the
  // system's default, which is hours.
  void keep_alive(bool on = true, std::chrono::seconds after = std::chrono::seconds::zero()) const;
  // Emits "timeout" when no byte went either way for `idle`, then not again until a byte went.
  // Zero: never. Does not keep Loop::run() from returning.
  //
  // Node: setTimeout().
  void timeout(std::chrono::milliseconds idle) const;

  // Sets whether the open socket keeps Loop::run() from returning. It does until unref(). Unwritten
  // bytes always do.
  void ref() const;
  void unref() const;

 private:
  friend class net::SocketState;
  explicit Socket(std::shared_ptr<net::SocketState> state);

  std::shared_ptr<net::SocketState> state_;
};

}  // namespace tine
