// The parent's side: fork() and the child it returns.
#pragma once

#include <chrono>
#include <csignal>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "tine/channel.hpp"
#include "tine/channel_end.hpp"
#include "tine/detail/export.hpp"
#include "tine/emitter.hpp"
#include "tine/error.hpp"
#include "tine/fork_options.hpp"
#include "tine/message.hpp"
#include "tine/resources.hpp"
#include "tine/stream.hpp"

namespace tine::process {
struct Access;
}

namespace tine {

class Loop;

// How a child ended: by a code or by a signal. Neither if that is unknown, or if it never ran.
//
// Node: the arguments of "exit" and "close", where the unused one is null and the signal is a name.
struct ExitStatus {
  std::optional<int> code = {};
  std::optional<int> signal = {};

  bool success() const { return code == 0; }
  friend bool operator==(const ExitStatus&, const ExitStatus&) = default;
};

// Returns "code 0", "signal 9 (Killed)" or "unknown".
TINE_EXPORT std::string to_string(const ExitStatus& status);

// How ChildProcess::stop() ends a child.
struct StopOptions {
  // How long the child has to end by itself before it is killed (SIGKILL).
  std::chrono::milliseconds deadline = std::chrono::seconds(5);

  // The signal that asks the child to end. 0: disconnect(), or SIGTERM if the channel is closed.
  int signal = 0;
};

// A child process and the message channel to it.
//
//   "spawn"       the child runs
//   "connected"   the channel is up; once, after "spawn"
//   "message"     the child sent a message; see Message for the forms that a listener may take
//   "error"       the child could not be started, what came is not a message, or a message
//                 without a callback was refused. Without a listener, Loop::run() throws the error.
//                 The text names the child's file and pid. A message that is lost because the child
//                 is gone is an "error" only if there is a listener: see ChannelEnd::send()
//   "drain"       after send() returned false: the queue is down to half of send_mark
//   "disconnect"  the channel is closed; everything received before has been delivered
//   "exit"        the child ended
//   "close"       the last event: the child ended, everything is delivered and its streams are
//                 closed; or the child could not be started
//
// "message"…, "disconnect", "exit", "close" always come in this order. After "close" the
// listeners are dropped; if "error" had one, later errors reach callbacks only. A child that could
// not be started emits "error" and "close", and the callbacks of messages sent to it get the same
// error. If other code in this program has waited for the child, "exit" comes within a second, with
// an unknown status.
//
// A handle: see Emitter. The child keeps Loop::run() from returning. If the loop is destroyed first,
// the child runs on, unless ForkOptions::kill_with_loop is set.
//
// Messages that come before there is a "message" listener are stored, up to
// ChannelOptions::stored_limit, for the first listener, even if it is added after "close".
//
// Node: child_process.ChildProcess. Node guarantees no order of the last events. It has neither
// "connected" nor "drain"; there the send callback replaces "drain".
class TINE_EXPORT ChildProcess
    : public Emitter<Event<"spawn">, Event<"connected">, Event<"message", Message>,
                     Event<"error", Error>, Event<"drain">, Event<"disconnect">,
                     Event<"exit", ExitStatus>, Event<"close", ExitStatus>>,
      public ChannelEnd {
 public:
  ChildProcess() = default;

  // False for an empty handle.
  explicit operator bool() const { return state_ != nullptr; }

  // Sends a signal. Returns false if the child is gone, or never started, or the signal is invalid.
  // Never signals a recycled pid. Signal 0 only checks whether the child is there.
  bool kill(int signal = SIGTERM) const;
  // Whether kill() has sent a signal. The child may still run.
  bool killed() const;

  // Asks the child to end, and kills it at the deadline. "exit" says how it ended. A further call
  // asks again and replaces the deadline.
  //
  // Node: none.
  void stop(StopOptions options = {}) const;

  // Sends a signal to the child and its descendants. Returns false if the child is gone.
  //
  // With own_group or detached, these are its process group. Otherwise the descendants are looked
  // up in /proc, and all are stopped (SIGSTOP) before any is signalled, which takes some
  // milliseconds; without /proc, only the child is signalled. A process that has left the group, or
  // whose parent has ended, is not found: a daemon, for example.
  //
  // Node: none.
  bool kill_tree(int signal = SIGKILL) const;

  // Sets whether the child keeps Loop::run() from returning. It does until unref(). The channel has
  // its own ref() and unref().
  void ref() const;
  void unref() const;

  // nullopt if the child could not be started. Still available after the child has ended.
  std::optional<int> pid() const;
  // nullopt until "exit". exit_code() and signal_code() are also nullopt if the other one is set.
  std::optional<ExitStatus> exit_status() const;
  std::optional<int> exit_code() const;
  std::optional<int> signal_code() const;
  // Whether "close" has come. False for an empty handle.
  //
  // Node: none.
  bool closed() const;
  // nullopt until "exit", and if the system does not report it.
  std::optional<ResourceUsage> resource_usage() const;

  // The parent's ends of those of the child's descriptors that are pipes; empty handles for the
  // others. stdin can be written, stdout and stderr can be read, and further pipes both.
  //
  // When the child exits, its stdin is closed. After "exit", a stream without listeners is read and
  // the data dropped, unless the stream is paused, so that the output ends and "close" comes.
  //
  // Node: stdin, stdout, stderr, which are macros here, and stdio[n]; null if not piped.
  Stream in() const;
  Stream out() const;
  Stream err() const;
  Stream stdio(std::size_t slot) const;

  // The program that was, or should have been, started, and all its arguments, argv[0] first.
  const std::string& spawn_file() const;
  const std::vector<std::string>& spawn_args() const;

  // For once(): the arguments of an event that comes only once, if it has come. "disconnect" counts as
  // past once the channel has ended, shortly before the event is emitted, and also for a child that
  // could not be started, which never emits it.
  template <EventName Name>
  requires(Name.view() == "exit" ||
           Name.view() == "close") std::optional<std::tuple<ExitStatus>> past()
  const {
    if (Name.view() == "exit" ? !exit_status() : !closed()) return std::nullopt;
    return std::tuple(exit_status().value_or(ExitStatus{}));
  }
  template <EventName Name>
  requires(Name.view() == "disconnect") std::optional<std::tuple<>> past()
  const {
    if (channel().open()) return std::nullopt;
    return std::tuple<>();
  }

 private:
  friend struct process::Access;
  class [[gnu::visibility("hidden")]] State;
  friend ChildProcess fork(Loop& loop, const std::filesystem::path& module, ForkOptions options);
  explicit ChildProcess(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;
};

// Starts a program with a channel to it.
//
// `module` is a path, absolute or relative to the child's directory; it is not looked up in PATH.
// If the program cannot be started, that is an "error" event, so listeners can always be added to
// the returned handle. The error says which step failed, up to and including exec;
// std::errc::operation_canceled means that the child was killed before that.
//
// Blocks this thread until the child runs its program. If the program file is still being written
// (ETXTBSY), fork() waits for up to some 130 ms, then reports that error.
//
// Node: child_process.fork().
TINE_EXPORT ChildProcess fork(Loop& loop, const std::filesystem::path& module,
                              ForkOptions options = {});

}  // namespace tine
