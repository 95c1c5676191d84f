#pragma once

#include <optional>

#include <unistd.h>

#include "spawn/clone_spawn.hpp"
#include "uv/timer.hpp"

namespace tine::spawn {

// A program started by clone_spawn(). Its pidfd becomes readable when it exits, and a signal cannot
// reach another process that has got the same pid since.
class PidfdSubprocess final : public Subprocess {
 public:
  PidfdSubprocess(uv::LoopCore& core, const SubprocessOptions& options, Exited exited);
  ~PidfdSubprocess() override;

  int pid() const override { return pid_; }
  bool kill(int signal) override;
  void set_ref(bool ref) override;

 private:
  void watch(std::unique_ptr<uv_poll_t> handle);
  void look();
  void look_later();

  uv::LoopCore& core_;
  Exited exited_;
  int pid_ = 0;
  const int parent_ = getpid();
  long our_most_memory_ = 0;  // when the program was started
  bool ref_ = true;
  std::optional<Pidfd> pidfd_;  // until the program has exited
  uv::UvHandle<uv_poll_t> watch_;
  std::optional<uv::RawTimer> looks_;  // used if the pidfd cannot be watched
};

}  // namespace tine::spawn
