// The parent's side: fork() and the child it returns.
#pragma once

#include <csignal>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tine/channel.hpp"
#include "tine/channel_end.hpp"
#include "tine/emitter.hpp"
#include "tine/error.hpp"
#include "tine/message.hpp"

#pragma GCC visibility push(default)

namespace tine {

class Loop;

// How to start a child. The defaults do what Node's fork() does, but that the module is the
// program.
struct ForkOptions {
  // Arguments for the module.
  std::vector<std::string> args = {};

  // A program that runs the module: {exec_path, exec_args…, module, args…}. Looked up in PATH if it
  // has no slash. Empty: the module is the program.
  //
  // Node: execPath, there process.execPath by default. A .js module is run by exec_path = "node".
  std::string exec_path = {};
  std::vector<std::string> exec_args = {};

  // Directory to start in; a relative module or exec_path counts from there. Empty: the parent's.
  std::string cwd = {};

  // Variables to set in the child on top of the parent's environment, or, with nullopt, to remove.
  //
  // Node: env replaces the parent's environment. The same here: inherit_env = false.
  std::map<std::string, std::optional<std::string>> env = {};
  bool inherit_env = true;

  // Whether ~Loop kills the child (SIGKILL) instead of leaving it to run.
  bool kill_with_loop = false;

  // Limits of the parent's end of the channel.
  ChannelOptions channel = {};
};

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

// A child process and the message channel to it.
//
//   "spawn"       it runs
//   "connected"   the channel is up; once, after "spawn"
//   "message"     it sent one; see Message for the forms a listener may ask for
//   "error"       it could not be started; a line came in that is no message; a message could not
//                 be written and has no callback. With no listener it comes out of Loop::run()
//   "drain"       send() has returned false, and half of send_mark is written
//   "disconnect"  the channel is closed; what came in before has been delivered
//   "exit"        it ended
//   "close"       the last event: it ended and all is delivered, or it could not be started
//
// "message"…, "disconnect", "exit", "close" always come in this order. The listeners are dropped
// after "close"; who listened for errors gets those that come later by callback only. A child that
// could not be started gets "error" and "close". One that somebody else in this program has waited
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

  // Sends a signal. False: the child is not there any more, or never was. Never a recycled pid.
  bool kill(int signal = SIGTERM);
  // Whether kill() has succeeded. The child may run nevertheless.
  bool killed() const;

  // Whether the child keeps Loop::run() from returning. It does, until unref(). The channel has
  // ref() and unref() of its own.
  void ref();
  void unref();

  // nullopt: it could not be started. Stays after its end.
  std::optional<int> pid() const;
  // nullopt until "exit".
  std::optional<ExitStatus> exit_status() const;

 private:
  class [[gnu::visibility("hidden")]] State;
  friend ChildProcess fork(Loop& loop, const std::filesystem::path& module, ForkOptions options);
  explicit ChildProcess(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;
};

// Starts a program with a channel to it.
//
// `module` is a path, absolute or from the child's directory; PATH is not searched for it. What
// keeps it from starting is an "error" event, so the handle is always good to add listeners to.
//
// Node: child_process.fork().
ChildProcess fork(Loop& loop, const std::filesystem::path& module, ForkOptions options = {});

}  // namespace tine

#pragma GCC visibility pop
