// The child's side: the channel to the parent that forked this process.
#pragma once

#include <memory>

#include "tine/channel.hpp"
#include "tine/channel_end.hpp"
#include "tine/emitter.hpp"
#include "tine/error.hpp"
#include "tine/message.hpp"

namespace tine::process {
struct Access;
}

#pragma GCC visibility push(default)

namespace tine {

class Loop;

// This process, as the child of the one that forked it.
//
//   "connected"   the channel is up; once, on the first turn of the loop
//   "message"     the parent sent one; see Message for the forms a listener may ask for
//   "error"       the environment names a channel that is none; a line came in that is no message;
//                 a message was refused and has no callback. With no listener it comes out of
//                 Loop::run(). A message that is lost because the parent is gone, or has disconnected,
//                 is an "error" only where somebody listens: see ChannelEnd::send()
//   "drain"       send() has returned false, and half of send_mark is written
//   "disconnect"  the channel is closed; what came in before has been delivered
//
// A plain object on the stack of main, made once and first, before threads: it adopts the channel
// from the environment (NODE_CHANNEL_FD) and removes the variables, so that programs started from
// here do not take the channel for theirs. A second Process is not connected, nor is that of a
// program that was not forked; it runs on, and what it sends is refused (Errc::channel_closed).
//
// The channel keeps Loop::run() from returning while there is a "message" or "disconnect" listener.
// The destructor writes what the kernel takes at once and closes; callbacks of the rest are told.
//
// Node: the IPC part of `process`. There `process.send` is undefined without a channel.
class Process : public Emitter<Event<"connected">, Event<"message", Message>, Event<"error", Error>,
                               Event<"drain">, Event<"disconnect">>,
                public ChannelEnd {
 public:
  explicit Process(Loop& loop, ChannelOptions options = {});
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();

  // Writes all that was accepted, then ends the process with std::exit(). Messages that come
  // meanwhile are dropped. It gives up on a parent that takes no byte for
  // ChannelOptions::flush_timeout.
  //
  // Node: process.exit() loses what is queued.
  [[noreturn]] void exit(int code = 0);

 private:
  friend struct process::Access;
  class [[gnu::visibility("hidden")]] State;
  explicit Process(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;
};

}  // namespace tine

#pragma GCC visibility pop
