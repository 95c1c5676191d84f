#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/resource.h>
#include <sys/types.h>

#include "base/descriptor.hpp"
#include "tine/error.hpp"
#include "tine/resources.hpp"
#include "uv/loop_core.hpp"

namespace tine::spawn {

// The options for starting a program. What they leave out is as in the parent, except for signals:
// all have their default action, and none is blocked.
//
// If the program can only be started by uv_spawn(), only file, args, env, cwd, stdio, detached, uid
// and gid are supported. The rest is refused with ENOTSUP.
struct SubprocessOptions {
  // The program; looked up in the PATH of `env` if it has no slash. Empty: args[0].
  std::string file;
  std::vector<std::string> args;  // args[0] is the name that the program sees
  std::vector<std::string> env;   // NAME=value; the whole environment
  std::string cwd;                // empty: the parent's

  // The child's descriptors from 0 on: for each, a descriptor of the parent or one of the constants
  // below. The child also gets the parent's other descriptors, unless they are closed on exec. 0 to
  // 2 are made blocking, which affects everybody who shares them.
  static constexpr int null_device = -1;
  static constexpr int inherited = -2;  // the parent's of this number, or the null device
  std::vector<int> stdio{inherited, inherited, inherited};

  bool detached = false;   // leads a session of its own, without a terminal
  bool new_group = false;  // leads a process group of its own

  // Setting either of them also drops the supplementary groups, which needs privileges. It is an
  // error if any of this fails, except for the groups if these ids are the ones that we run as.
  std::optional<uid_t> uid;
  std::optional<gid_t> gid;
  bool ids_are_ours() const;

  std::vector<ResourceLimit> limits;
  std::optional<int> nice;  // the value itself, not an increment

  // Sent to the child when the thread that started it ends, so at the latest when the parent ends.
  // 0: none.
  int parent_death_signal = 0;
};

// The error of a program that could not be started: the errno, and the step that failed ("chdir",
// "exec", …).
class SpawnError : public Error {
 public:
  SpawnError(int error, const char* step)
      : Error(std::error_code(error, std::generic_category()), step), step_(step) {}

  const char* step() const { return step_; }

 private:
  const char* step_;
};

// How a program ended.
struct SubprocessExit {
  bool known = false;  // false: somebody else has waited for it, and nothing more is known
  int code = 0;
  int signal = 0;  // 0: none
  // The usage of the program and of the children that it has waited for; empty with uv_spawn().
  // ru_maxrss is 0, for unknown, if the program has used no more memory than this process had when
  // it started the program.
  std::optional<rusage> usage;
};

// Both ends of a new stream socket pair, closed on exec. make_socket_pair() throws SpawnError.
struct SocketPair {
  base::Descriptor ours;
  base::Descriptor theirs;
};
SocketPair make_socket_pair();

// A running program.
//
// Its exit is waited for even if nobody wants to know about it any more: else it would be left a
// zombie.
class Subprocess {
 public:
  // Called once, from inside LoopCore::enter(). May destroy the subprocess.
  using Exited = std::function<void(const SubprocessExit&)>;

  // Starts a program. Throws SpawnError if that fails.
  //
  // Linux: uses a clone that shares our memory until exec, so its cost does not grow with that
  // memory, and watches the program by a pidfd. If the system lacks these, uses uv_spawn().
  static std::unique_ptr<Subprocess> start(uv::LoopCore& core, const SubprocessOptions& options,
                                           Exited exited);
  // Returns whether all of SubprocessOptions is supported here. uv_spawn() does not support all of
  // it.
  static bool does_all();
  // For tests: uses uv_spawn() everywhere from now on, if `always`.
  static void use_uv_spawn(bool always);

  Subprocess() = default;
  Subprocess(const Subprocess&) = delete;
  Subprocess& operator=(const Subprocess&) = delete;
  // May be destroyed before the program has exited only if the loop itself is going away.
  virtual ~Subprocess() = default;

  virtual int pid() const = 0;
  // Checks whether other code in this process has waited for the program. Called when there is a
  // reason to think that the program has exited. If that would go unnoticed, checks again from now
  // on. May call Exited at once.
  virtual void look_for_loss() {}
  // Returns false if the program has exited, or if `signal` is no signal.
  virtual bool kill(int signal) = 0;
  virtual void set_ref(bool ref) = 0;
};

}  // namespace tine::spawn
