// A stream of bytes: the parent's end of a child's stdin, stdout, stderr or extra pipe, or a
// descriptor that the program has.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "tine/detail/export.hpp"
#include "tine/emitter.hpp"
#include "tine/error.hpp"
#include "tine/send_callback.hpp"

namespace tine::net {
class StreamBackend;
}

namespace tine {

class Loop;

// A stream of bytes that can be read, written, or both.
//
//   "data"   bytes came in. The view is valid during the call
//   "end"    no more data will come; once, after all data
//   "drain"  after write() returned false: the queue is down to 32 KiB
//   "error"  reading failed, or bytes without a callback could not be written. Without a listener,
//            Loop::run() throws the error, except if the peer is gone (EPIPE, ECONNRESET): then
//            only "close" follows
//   "close"  the last event: both directions have ended, and the descriptor is closed
//
// Each direction ends by itself. Reading ends with "end". Writing ends with end(), with the first
// write that fails (EPIPE: nobody reads any more), or after "end", once everything queued by then
// is written; what the peer wrote is still delivered. When both have ended, or after destroy() or a
// read error, "close" is emitted. Then the listeners are dropped; if "error" had one, later errors
// reach callbacks only.
//
// Reading starts when there is a "data" listener and stops when there is none, or by resume() and
// pause(). Until then nothing is read: the peer has to wait once the kernel's buffer is full, and
// its end is not noticed. So a stream that nobody reads emits neither "end" nor "close"; call
// resume() to read and drop what comes.
//
// A handle: see Emitter. A stream that is being read, and unwritten bytes, keep Loop::run() from
// returning.
//
// Node: stream.Duplex, such as a net.Socket, in flowing mode and without an encoding. In Node a
// failed write also destroys the stream, with everything that is still to be read, and emits
// "error" in addition to the callback. After the last "data" listener is removed, Node goes on
// reading and drops what comes. In Node "drain" comes when everything is written.
class TINE_EXPORT Stream : public Emitter<Event<"data", std::string_view>, Event<"end">,
                                          Event<"drain">, Event<"error", Error>, Event<"close">> {
 public:
  Stream() = default;

  // Makes a stream from a pipe, a connected stream socket or a terminal, and takes ownership of the
  // descriptor. It can be read, written, or both, as the descriptor can. If the descriptor is
  // something else, throws Error and does not take it.
  //
  // The descriptor becomes non-blocking, also for other processes that share it. For stdin, stdout
  // and stderr use standard_input() and the like.
  //
  // Node: new net.Socket({fd}), new tty.ReadStream(fd), new tty.WriteStream(fd).
  static Stream adopt(Loop& loop, int descriptor);

  // False for an empty handle.
  explicit operator bool() const { return state_ != nullptr; }

  // Queues bytes, unchanged; never blocks. What the kernel takes at once is written at once.
  //
  // False means: wait for "drain" before you write more, because 64 KiB or more are queued; these
  // bytes were taken. Or the stream is not writable, or not any more; then there is no "drain".
  //
  // `written` runs exactly once, on a later turn of the loop: without an error when the last of the
  // bytes was given to the kernel. Otherwise not all were written: EPIPE or ECONNRESET if the peer
  // went away first, ECANCELED because of destroy(), Errc::write_after_end, Errc::stream_destroyed.
  // Without `written` the error is emitted as "error", except destroy()'s; if its cause is not your
  // own earlier end(), it is emitted only if there is a listener.
  bool write(std::string_view bytes, SendCallback written = {}) const;

  // Ends writing, after some last bytes, once the queue is written: the peer then reads EOF. This
  // also closes a stream that is not readable. Only the first call has an effect; the last bytes of
  // a further call are refused as by write().
  void end(std::string_view last = {}) const;

  // Closes the stream at once. Queued bytes are not written, received bytes are not delivered.
  void destroy() const;

  // Stops and restarts reading: after pause() nothing is delivered until resume(). resume() reads
  // even without "data" listeners; pause() does not read even with them.
  void pause() const;
  void resume() const;

  // Whether more data may come: until the EOF has been read, or destroy().
  bool readable() const;
  // Whether write() takes bytes: until end(), destroy(), or a failed write.
  bool writable() const;

  // Bytes that were taken and not yet given to the kernel. The queue has no limit: only write()'s
  // return value asks the caller to stop.
  //
  // Node: writableLength.
  std::size_t queued_bytes() const;

  // Sets whether reading keeps Loop::run() from returning. It does until unref(). Unwritten bytes
  // always do.
  void ref() const;
  void unref() const;

 private:
  friend class net::StreamBackend;
  explicit Stream(std::shared_ptr<net::StreamBackend> state);

  std::shared_ptr<net::StreamBackend> state_;
};

// Streams over the program's stdin, which is only read, and its stdout and stderr, which are only
// written: pipes, connected stream sockets, terminals, files, or devices such as /dev/null. Make
// each of them once, and do not use std::cin and the like beside it. The descriptor itself stays
// open when the stream closes, so the peer notices only the end of the program.
//
// Other processes may share the descriptor and expect it to block. Therefore, on Linux, a pipe or a
// terminal is opened once more for the stream, and the descriptor stays as it is. Where this is not
// possible, as for a socket or a FIFO, the descriptor is non-blocking until the stream closes, and
// blocking from then on. If a child that inherits it starts meanwhile, the descriptor blocks, and
// so may a write to the stream.
//
// A file is read and written from its current position, or at its end if it is open for appending,
// by libuv's threads, so that a slow disk does not hold up the loop. While a file is read, the loop
// goes on, even after unref(). ~Loop waits for a read or write that has begun.
//
// Throws Error (EINVAL) if the descriptor is something else, such as a directory.
//
// Node: process.stdin, process.stdout and process.stderr. In Node, writing to a file, a pipe or a
// terminal blocks.
TINE_EXPORT Stream standard_input(Loop& loop);
TINE_EXPORT Stream standard_output(Loop& loop);
TINE_EXPORT Stream standard_error(Loop& loop);

}  // namespace tine
