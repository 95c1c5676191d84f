// How to start a child.
#pragma once

#include <chrono>
#include <csignal>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "tine/channel.hpp"
#include "tine/resources.hpp"

#pragma GCC visibility push(default)

namespace tine {

// What one of the child's descriptors is.
//
// Programs lose what they write to a stdout that does not block. So the child's 0 to 2 are made blocking, as
// Node does; whoever shares them, the parent too, has them blocking from then on.
//
// Node: an element of the stdio option.
class Stdio {
 public:
  // The parent's descriptor of the same number; the null device if the parent has none.
  static Stdio inherit() { return Stdio(Kind::inherit); }
  // A pipe to the parent, whose end is a stream of the ChildProcess. In the child it is a socket.
  static Stdio pipe() { return Stdio(Kind::pipe); }
  // The null device.
  static Stdio ignore() { return Stdio(Kind::ignore); }
  // A copy of that descriptor of the parent's, which stays the caller's.
  static Stdio descriptor(int fd) { return Stdio(Kind::descriptor, fd); }
  // The message channel.
  static Stdio ipc() { return Stdio(Kind::ipc); }

  enum class Kind { inherit, pipe, ignore, descriptor, ipc };
  Kind kind() const { return kind_; }
  int fd() const { return fd_; }

 private:
  explicit Stdio(Kind kind, int fd = -1) : kind_(kind), fd_(fd) {}

  Kind kind_;
  int fd_;
};

// How to start a child. The defaults do what Node's fork() does, but that the module is the
// program, and that the child does not outlive its parent.
//
// What cannot be, alone or together, is refused with an "error" that says which, and no child is
// started: Errc::ipc_one_pipe, ipc_required, invalid_argument, out_of_range, unknown_signal.
struct ForkOptions {
  // Arguments for the module.
  std::vector<std::string> args = {};

  // A program that runs the module: {exec_path, exec_args…, module, args…}. Looked up in PATH if it
  // has no slash. Empty: the module is the program.
  //
  // Node: execPath, there process.execPath by default. A .js module is run by exec_path = "node".
  std::string exec_path = {};
  std::vector<std::string> exec_args = {};

  // What the program finds as its own name, argv[0]. Empty: its path.
  std::string argv0 = {};

  // Directory to start in; a relative module or exec_path counts from there. Empty: the parent's.
  std::string cwd = {};

  // Variables to set in the child on top of the parent's environment, or, with nullopt, to remove.
  //
  // Node: env replaces the parent's environment. The same here: inherit_env = false.
  std::map<std::string, std::optional<std::string>> env = {};
  bool inherit_env = true;

  // The child's descriptors from 0 on, with one Stdio::ipc() among them. Those of 0 to 2 that are
  // not there are pipes. Empty: {inherit, inherit, inherit, ipc}.
  std::vector<Stdio> stdio = {};

  // Whether the first three are pipes instead. Only if `stdio` is empty.
  bool silent = false;

  // Whether the child leads a session, and so a process group, of its own, without the parent's
  // terminal. It may outlive the parent: see parent_death_signal, and ChildProcess::unref().
  bool detached = false;

  // Whether the child leads a process group of its own, in the parent's session. The terminal's
  // Ctrl-C does not reach it, and kill_tree() kills the group.
  //
  // Node: none.
  bool own_group = false;

  // The user and the group to run as. The group is set first, the supplementary groups are dropped,
  // and the child is not started if one of this fails. Ids that the parent runs as already need no privilege;
  // without it the child keeps the groups then.
  //
  // With them fork() takes longer the more memory the parent has: the child gets a copy of its page tables.
  // To share the memory with a process of another user would cost the parent its core dumps.
  std::optional<unsigned> uid = {};
  std::optional<unsigned> gid = {};

  // Limits, set before privileges are dropped; and the priority itself, not what to add to it, from
  // -20, the most favoured, to 19.
  //
  // Node: none.
  std::vector<ResourceLimit> limits = {};
  std::optional<int> nice = {};

  // How long the child may run; then kill_signal is sent. 0: for ever.
  std::chrono::milliseconds timeout = {};

  // Sends kill_signal when a stop is requested, on any thread, and is an "error" of Errc::aborted
  // if that ended a child that was running.
  //
  // Node: signal, an AbortSignal.
  std::stop_token stop = {};

  int kill_signal = SIGTERM;

  // What the child is sent when the parent ends, even by SIGKILL; 0: nothing. nullopt: SIGKILL
  // where the system can, and nothing for a detached child.
  //
  // It comes when the *thread* ends that has called fork(): fork from one that lives as long as the
  // child is to. A set-user-ID program is not sent it. Linux only, with its pidfd.
  //
  // Node: none; there children outlive a parent that is killed.
  std::optional<int> parent_death_signal = {};

  // Whether ~Loop kills the child (SIGKILL) instead of leaving it to run.
  bool kill_with_loop = false;

  // Limits of the parent's end of the channel.
  ChannelOptions channel = {};
};

}  // namespace tine

#pragma GCC visibility pop
