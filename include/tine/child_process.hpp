// The parent's side: fork() and the child it returns.
#pragma once

#include <chrono>
#include <csignal>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tine/channel.hpp"
#include "tine/channel_end.hpp"
#include "tine/emitter.hpp"
#include "tine/error.hpp"
#include "tine/fork_options.hpp"
#include "tine/message.hpp"
#include "tine/resources.hpp"
#include "tine/stream.hpp"

namespace tine::process {
struct Access;
}

#pragma GCC visibility push(default)

namespace tine {

class Loop;

// How a child ended: by a code or by a signal. Neither: it is not known, or it never ran.
//
// Node: the arguments of "exit" and "close", where the other one is null. There the signal is a
// name.
struct ExitStatus {
  std::optional<int> code = {};
  std::optional<int> signal = {};

  bool success() const { return code == 0; }
  friend bool operator==(const ExitStatus&, const ExitStatus&) = default;
};

// "code 0", "signal 9 (Killed)"
std::string to_string(const ExitStatus& status);

// How ChildProcess::stop() ends a child.
struct StopOptions {
  // When it is killed (SIGKILL), if it has not ended by itself.
  std::chrono::milliseconds deadline = std::chrono::seconds(5);

  // What asks it to end. 0: disconnect(), or SIGTERM if it has no channel any more.
  int signal = 0;
};

// A child process and the message channel to it.
//
//   "spawn"       it runs
//   "connected"   the channel is up; once, after "spawn"
//   "message"     it sent one; see Message for the forms a listener may ask for
//   "error"       it could not be started; a line came in that is no message; a message was refused
//                 and has no callback. With no listener it comes out of Loop::run(). The text names the
//                 child: file and pid. A message that is lost because the child is gone is an "error"
//                 only where somebody listens: see ChannelEnd::send()
//   "drain"       send() has returned false, and half of send_mark is written
//   "disconnect"  the channel is closed; what came in before has been delivered
//   "exit"        it ended
//   "close"       the last event: it ended, all is delivered and its streams are closed, or it
//                 could not be started
//
// "message"…, "disconnect", "exit", "close" always come in this order. The listeners are dropped
// after "close"; who listened for errors gets those that come later by callback only. A child that
// could not be started gets "error" and "close"; callbacks of what is sent to it get that error too. One that somebody else in this program has waited
// for gets "exit" with an unknown status, within a second.
//
// A handle: copy it, keep it, drop it; the child runs on and its listeners stay until "close". The
// loop keeps what is behind it alive, and the child keeps Loop::run() from returning. A default
// handle is empty: all one may do is assign to it. Use it on the thread of its loop.
//
// Messages that come before there is a "message" listener wait for it, up to
// ChannelOptions::stored_limit, and stay for a listener that is added even after "close".
//
// Node: child_process.ChildProcess. Node promises no order of the last events; it has no
// "connected" and no "drain", whose place the send callback takes.
class ChildProcess : public Emitter<Event<"spawn">, Event<"connected">, Event<"message", Message>,
                                    Event<"error", Error>, Event<"drain">, Event<"disconnect">,
                                    Event<"exit", ExitStatus>, Event<"close", ExitStatus>>,
                     public ChannelEnd {
 public:
  ChildProcess() = default;

  // Sends a signal. False: the child is not there any more, or never was, or the signal is none.
  // Never a recycled pid. The signal 0 only asks whether it is there.
  bool kill(int signal = SIGTERM);
  // Whether kill() has sent a signal. The child may run nevertheless.
  bool killed() const;

  // Ends the child in order: asks it, and kills it when the deadline is over. "exit" tells how it
  // ended. A further call asks again, and its deadline counts.
  //
  // Node: none.
  void stop(StopOptions options = {});

  // Sends a signal to the child and all that it has started. False: the child is not there.
  //
  // With own_group or detached that is its process group. Else they are looked for in /proc, and
  // stopped (SIGSTOP) before any is signalled, which takes some milliseconds; where there is no
  // /proc, it is the child alone. Not found is what has left the group, or whose parent has ended:
  // a daemon, say.
  //
  // Node: none.
  bool kill_tree(int signal = SIGKILL);

  // Whether the child keeps Loop::run() from returning. It does, until unref(). The channel has
  // ref() and unref() of its own.
  void ref();
  void unref();

  // nullopt: it could not be started. Stays after its end.
  std::optional<int> pid() const;
  // nullopt until "exit"; the last two also if it is the other one.
  std::optional<ExitStatus> exit_status() const;
  std::optional<int> exit_code() const;
  std::optional<int> signal_code() const;
  // nullopt until "exit", and if the system does not tell.
  std::optional<ResourceUsage> resource_usage() const;

  // The parent's ends of the child's descriptors that are pipes, empty handles for those that are
  // not. One can write to stdin, read from stdout and stderr, and do both with those beyond.
  //
  // When the child has exited, its stdin is closed; what nobody listens to after "exit" is read and
  // dropped, unless it is paused. So that its output ends, and "close" comes.
  //
  // Node: stdin, stdout, stderr, which are macros here, and stdio[n]; null if not piped.
  Stream in() const;
  Stream out() const;
  Stream err() const;
  Stream stdio(std::size_t slot) const;

  // What was started, or was to be, with all arguments, argv[0] the first.
  const std::string& spawn_file() const;
  const std::vector<std::string>& spawn_args() const;

 private:
  friend struct process::Access;
  class [[gnu::visibility("hidden")]] State;
  friend ChildProcess fork(Loop& loop, const std::filesystem::path& module, ForkOptions options);
  explicit ChildProcess(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;
};

// Starts a program with a channel to it.
//
// `module` is a path, absolute or from the child's directory; PATH is not searched for it. What
// keeps it from starting is an "error" event, so the handle is always good to add listeners to. The error
// says which step failed, up to and with exec; std::errc::operation_canceled: it was killed before.
//
// This thread stands still until the child runs its program: some 130 ms more if that is still being written
// (ETXTBSY), until it is or that is the error.
//
// Node: child_process.fork().
ChildProcess fork(Loop& loop, const std::filesystem::path& module, ForkOptions options = {});

}  // namespace tine

#pragma GCC visibility pop
