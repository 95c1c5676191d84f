#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/resource.h>
#include <sys/types.h>

#include "tine/error.hpp"
#include "tine/resources.hpp"
#include "uv/descriptor.hpp"
#include "uv/loop_core.hpp"

namespace tine::uv {

// What to run, and as what. What is not said is as in the parent, but for signals: all are at their
// default, and none is blocked.
//
// Where there is only uv_spawn() to start it with, it can do no more than: file, args, env, cwd, stdio,
// detached, uid and gid. The rest is refused with ENOTSUP there.
struct SubprocessOptions {
  // The program, looked up in the PATH of `env` if it has no slash. Empty: args[0].
  std::string file;
  std::vector<std::string> args;  // args[0] is what the program takes for its name
  std::vector<std::string> env;   // NAME=value, all of it
  std::string cwd;                // empty: the parent's

  // The child's descriptors from 0 on: one of the parent's for each, or one of these. What the parent
  // holds beside them, the child has too, unless it is closed on exec. 0 to 2 are made blocking, which is
  // seen by all who share them.
  static constexpr int null_device = -1;
  static constexpr int inherited = -2;  // that of the same number; the null device if there is none
  std::vector<int> stdio{inherited, inherited, inherited};

  bool detached = false;   // leads a session of its own, without a terminal
  bool new_group = false;  // leads a process group of its own

  // With either of them the supplementary groups are dropped, which needs privileges. It is an error
  // if one of this cannot be done; but for the groups, if these ids are those that we run as.
  std::optional<uid_t> uid;
  std::optional<gid_t> gid;
  bool ids_are_ours() const;

  std::vector<ResourceLimit> limits;
  std::optional<int> nice;  // the value itself, not what to add to it

  // Sent when the thread ends that has started it, and so at the latest with the parent; 0 is none.
  int parent_death_signal = 0;
};

// A program that could not be started: the errno, and what it was that failed ("chdir", "exec", …).
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
  bool known = false;  // else somebody else has waited for it, and no more is to be had
  int code = 0;
  int signal = 0;  // or 0
  // Of it and of the children that it has waited for; not of uv_spawn(). ru_maxrss is 0 if the program has
  // had no more memory than this process had when it started the program: how much is not known then.
  std::optional<rusage> usage;
};

// Both ends of a new stream socket, closed on exec. Throws SpawnError.
struct SocketPair {
  Descriptor ours;
  Descriptor theirs;
};
SocketPair make_socket_pair();

// A running program.
//
// The exit of the program is waited for even if nobody wants to know any more: else it would be
// left a zombie.
class Subprocess {
 public:
  // Called once, from inside LoopCore::enter(). It may destroy the subprocess.
  using Exited = std::function<void(const SubprocessExit&)>;

  // Throws SpawnError if it cannot be started.
  //
  // Linux: by a clone that shares our memory until exec, whose cost does not grow with that memory, and
  // watched by a pidfd. Where the system lacks these: by uv_spawn().
  static std::unique_ptr<Subprocess> start(LoopCore& core, const SubprocessOptions& options,
                                           Exited exited);
  // Whether all of SubprocessOptions can be done here, which uv_spawn() cannot.
  static bool does_all();
  // For tests: uv_spawn() everywhere, from now on.
  static void use_uv_spawn(bool always);

  Subprocess() = default;
  Subprocess(const Subprocess&) = delete;
  Subprocess& operator=(const Subprocess&) = delete;
  // Before it has exited: only if the loop itself is going.
  virtual ~Subprocess() = default;

  virtual int pid() const = 0;
  // To be called when there is a reason to think that it has exited. Somebody else in this program may
  // have waited for it; where that would not be noticed, it is looked for from now on. May call Exited
  // at once.
  virtual void look_for_loss() {}
  // False: it has exited, or the signal is not one.
  virtual bool kill(int signal) = 0;
  virtual void set_ref(bool ref) = 0;
};

}  // namespace tine::uv
