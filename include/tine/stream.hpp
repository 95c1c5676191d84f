// A stream of bytes: what a child's stdin, stdout, stderr and extra pipes are to its parent.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "tine/channel.hpp"
#include "tine/emitter.hpp"
#include "tine/error.hpp"

namespace tine::net {
class StreamState;
}

#pragma GCC visibility push(default)

namespace tine {

// A stream of bytes: one that is read, one that is written, or both.
//
//   "data"   bytes came in. The view is valid for the call
//   "end"    no more will come; once, after all data
//   "drain"  write() has returned false, and half of what it waits for is written
//   "error"  reading failed; or bytes could not be written and have no callback to tell. With no
//            listener it comes out of Loop::run(), except when the peer is gone (EPIPE, ECONNRESET):
//            "close" tells of that
//   "close"  the last event: both directions are over, and the descriptor is closed
//
// Each direction ends by itself. Reading ends with "end". Writing ends with end(), with the first
// write that fails (EPIPE: nobody reads any more), and after "end", when what is queued by then is
// written; what the peer wrote is told all the same. When both have ended, or after destroy() or an
// error in reading, there is "close". The listeners are dropped after it; who listened for errors
// gets those that come later by callback only.
//
// Reading starts when there is a "data" listener and stops when there is none, or by resume() and
// pause(). Until then nothing is read: the peer is held up once the kernel takes no more from it,
// and its end is not noticed. So a stream that nobody reads has neither "end" nor "close"; resume()
// reads and drops what comes.
//
// A handle: copy it, keep it, drop it; the stream goes on and its listeners stay until "close". The
// loop keeps what is behind it alive, and closes it when it goes. A stream that is being read, and
// bytes that are not written yet, keep Loop::run() from returning. A default handle is empty: all
// one may do is assign to it, or ask whether it is. Use it on the thread of its loop.
//
// Node: stream.Duplex, as net.Socket is one, in flowing mode and without an encoding. There a write
// that fails also destroys the stream, with what is still to be read, and emits "error" beside the
// callback; reading goes on, and drops what comes, when the last "data" listener is removed; and
// "drain" comes when all is written.
class Stream : public Emitter<Event<"data", std::string_view>, Event<"end">, Event<"drain">,
                              Event<"error", Error>, Event<"close">> {
 public:
  Stream() = default;

  // False: it is an empty handle.
  explicit operator bool() const { return state_ != nullptr; }

  // Queues bytes, as they are; never blocks. What the kernel takes at once is written at once.
  //
  // False means hold the next bytes until "drain", because 64 KiB or more are queued: these were
  // taken. Or the stream cannot be written (any more), and there will be no "drain".
  //
  // `written` runs exactly once, on a later turn of the loop: without an error when the last of the
  // bytes was given to the kernel. Else they were not all written: EPIPE or ECONNRESET when the peer
  // went away first, ECANCELED by destroy(), Errc::write_after_end, Errc::stream_destroyed. Without
  // `written` that error, but for destroy()'s, is emitted as "error": only where somebody listens, unless
  // it is because of an earlier end() of one's own.
  bool write(std::string_view bytes, SendCallback written = {});

  // Ends the writing, after some last bytes, once what is queued is written: the peer then reads
  // its end. That closes a stream that is not read too. Only the first call does anything; last bytes
  // of another one are refused as write() does.
  void end(std::string_view last = {});

  // Closes it at once. What is queued is not written, what came in is not told.
  void destroy();

  // Stops and starts the reading: after pause() nothing is told until resume(). resume() reads
  // whether or not there are "data" listeners, pause() not even when there are.
  void pause();
  void resume();

  // Whether more may come in: until its end has been read, or destroy().
  bool readable() const;
  // Whether write() takes bytes: until end(), destroy(), or a write that failed.
  bool writable() const;

  // Bytes that are taken and not yet given to the kernel. There is no bound but write()'s answer.
  //
  // Node: writableLength.
  std::size_t queued_bytes() const;

  // Whether reading keeps Loop::run() from returning. It does, until unref(). Unwritten bytes do
  // always.
  void ref();
  void unref();

 private:
  friend class net::StreamState;
  explicit Stream(std::shared_ptr<net::StreamState> state);

  std::shared_ptr<net::StreamState> state_;
};

}  // namespace tine

#pragma GCC visibility pop
