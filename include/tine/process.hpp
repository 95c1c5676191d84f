// The child's side: the channel to the parent that forked this process.
#pragma once

#include <memory>

#include "tine/channel.hpp"
#include "tine/channel_end.hpp"
#include "tine/detail/export.hpp"
#include "tine/emitter.hpp"
#include "tine/error.hpp"
#include "tine/message.hpp"

namespace tine::process {
struct Access;
}

namespace tine {

class Loop;

// This process, as the child of the process that forked it.
//
//   "connected"   the channel is up; once, on the first turn of the loop
//   "message"     the parent sent a message; see Message for the forms that a listener may take
//   "error"       the environment names an invalid channel, what came is not a message, or a
//                 message without a callback was refused. Without a listener, Loop::run() throws
//                 the error, except Errc::unsupported_serialization: then the process writes the
//                 error to stderr and ends with exit code 78. A message that is lost because the
//                 parent is gone, or has disconnected, is an "error" only if there is a listener:
//                 see ChannelEnd::send()
//   "drain"       after send() returned false: the queue is down to half of send_mark
//   "disconnect"  the channel is closed; everything received before has been delivered
//
// A plain object on the stack of main. Create it once, first, and before threads: it adopts the
// channel from the environment (NODE_CHANNEL_FD) and removes the variables, so that programs
// started from here do not take the channel for theirs. A second Process is not connected, and
// neither is the Process of a program that was not forked: the program runs on, but what it sends
// is refused (Errc::channel_closed).
//
// The channel keeps Loop::run() from returning while there is a "message" or "disconnect" listener.
// The destructor writes what the kernel takes at once and closes the channel; the callbacks of the
// remaining messages get ECANCELED.
//
// Node: the IPC part of `process`. There `process.send` is undefined without a channel.
class TINE_EXPORT Process
    : public Emitter<Event<"connected">, Event<"message", Message>, Event<"error", Error>,
                     Event<"drain">, Event<"disconnect">>,
      public ChannelEnd {
 public:
  explicit Process(Loop& loop, ChannelOptions options = {});
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();

  // Writes everything that was accepted, then ends the process with std::exit(). Messages that come
  // meanwhile are dropped. Gives up on a parent that takes no byte for
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
