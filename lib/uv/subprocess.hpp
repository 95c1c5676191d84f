#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "uv/descriptor.hpp"
#include "uv/loop_core.hpp"

namespace tine::uv {

// What to run, and as what.
struct SubprocessOptions {
  std::vector<std::string> args;  // args[0] is the program, looked up in PATH if it has no slash
  std::vector<std::string> env;   // NAME=value, all of it
  std::string cwd;                // empty: the parent's
};

// Both ends of a new stream socket, closed on exec. Throws std::system_error.
struct SocketPair {
  Descriptor ours;
  Descriptor theirs;
};
SocketPair make_socket_pair();

// A running program. Shares stdin, stdout and stderr with us, and has `channel` as descriptor 3.
//
// The exit of the program is waited for even if nobody wants to know any more: else it would be
// left a zombie.
class Subprocess {
 public:
  // Called once, from inside LoopCore::enter(): the exit code, and the signal or 0.
  using Exited = std::function<void(std::int64_t code, int signal)>;

  // Starts it. Throws std::system_error if it cannot be.
  Subprocess(LoopCore& core, const SubprocessOptions& options, int channel, Exited exited);
  Subprocess(const Subprocess&) = delete;
  Subprocess& operator=(const Subprocess&) = delete;
  // Before it has exited: only if the loop itself is going.
  ~Subprocess();

  static constexpr int channel_descriptor = 3;

  int pid() const { return pid_; }
  // Whether somebody else has waited for the child: libuv would never tell of its exit. It is over
  // then.
  bool is_lost();
  // False: it has exited, or the signal is not one.
  bool kill(int signal);
  void set_ref(bool ref);

 private:
  LoopCore& core_;
  Exited exited_;
  UvHandle<uv_process_t> process_;
  int pid_ = 0;
};

}  // namespace tine::uv
