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

namespace tine {

// What one of the child's descriptors is connected to.
//
// Programs lose output that they write to a non-blocking stdout. Therefore the child's descriptors
// 0 to 2 are made blocking, as in Node. They are then blocking for all processes that share them,
// the parent included.
//
// Node: an element of the stdio option.
class Stdio {
 public:
  // The parent's descriptor with the same number; the null device if the parent has none.
  static Stdio inherit() { return Stdio(Kind::inherit); }
  // A pipe to the parent, where it is a stream of the ChildProcess. In the child it is a socket.
  static Stdio pipe() { return Stdio(Kind::pipe); }
  // The null device.
  static Stdio ignore() { return Stdio(Kind::ignore); }
  // A copy of a descriptor of the parent; the caller keeps `fd`.
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

// How to start a child. The defaults do what Node's fork() does, except that the module is the
// program, and that the child does not outlive its parent.
//
// If an option or a combination of options is invalid, an "error" says which, and no child is
// started: Errc::ipc_one_pipe, ipc_required, invalid_argument, out_of_range, unknown_signal.
struct ForkOptions {
  // Arguments for the module.
  std::vector<std::string> args = {};

  // A program that runs the module: {exec_path, exec_args…, module, args…}. Looked up in PATH
  // if it contains no slash: a set-uid program should give a path, because its caller chooses
  // PATH. Empty: the module is the program.
  //
  // Node: execPath, which is process.execPath by default. Run a .js module with exec_path = "node".
  std::string exec_path = {};
  std::vector<std::string> exec_args = {};

  // The name that the program gets as argv[0]. Empty: its path.
  std::string argv0 = {};

  // The directory to start in. A relative module or exec_path is relative to it. Empty: the
  // parent's.
  std::string cwd = {};

  // Variables to set in the child on top of the parent's environment, or to remove if nullopt.
  //
  // Node: env replaces the parent's environment. inherit_env = false does the same here.
  std::map<std::string, std::optional<std::string>> env = {};
  bool inherit_env = true;

  // The child's descriptors from 0 on, with exactly one Stdio::ipc() among them. Of the first
  // three, those left out are pipes. Empty: {inherit, inherit, inherit, ipc}.
  std::vector<Stdio> stdio = {};

  // Whether the first three are pipes instead. Only valid if `stdio` is empty.
  bool silent = false;

  // Whether the child leads a session of its own, and so a process group, without the parent's
  // terminal. It may outlive the parent: see parent_death_signal, and ChildProcess::unref().
  bool detached = false;

  // Whether the child leads a process group of its own, in the parent's session. The terminal's
  // Ctrl-C does not reach it, and kill_tree() kills the group.
  //
  // Node: none.
  bool own_group = false;

  // The user and the group to run as. The group is set first, and the supplementary groups are
  // dropped; if any of this fails, the child is not started. No privilege is needed for the ids
  // that the parent already runs as; without privilege the child then keeps the supplementary
  // groups.
  //
  // With these options, fork() takes longer the more memory the parent has, because the child gets
  // a copy of the parent's page tables. Sharing memory with a process of another user would cost
  // the parent its core dumps.
  std::optional<unsigned> uid = {};
  std::optional<unsigned> gid = {};

  // Resource limits, set before privileges are dropped; and the priority, as an absolute value from
  // -20 (most favoured) to 19.
  //
  // Node: none.
  std::vector<ResourceLimit> limits = {};
  std::optional<int> nice = {};

  // How long the child may run before kill_signal is sent. 0: no limit.
  std::chrono::milliseconds timeout = {};

  // When a stop is requested, from any thread, a child that still runs is sent kill_signal, and an
  // "error" with Errc::aborted is emitted.
  //
  // Node: signal, an AbortSignal.
  std::stop_token stop = {};

  int kill_signal = SIGTERM;

  // The signal that the child gets when the parent ends, even by SIGKILL; 0: none. nullopt: SIGKILL
  // where the system supports it, and none for a detached child.
  //
  // The signal is sent when the *thread* that called fork() ends: fork from a thread that lives as
  // long as the child should. A set-user-ID program does not get it. Linux only, with pidfds.
  //
  // Node: none; there children outlive a parent that is killed.
  std::optional<int> parent_death_signal = {};

  // Whether ~Loop kills the child (SIGKILL) instead of leaving it running.
  bool kill_with_loop = false;

  // How messages are written. A tine child and a Node child do what is asked for here.
  Serialization serialization = Serialization::json;

  // The limits of the parent's end of the channel.
  ChannelOptions channel = {};
};

}  // namespace tine
