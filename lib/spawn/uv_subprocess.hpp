#pragma once

#include <optional>

#include <unistd.h>

#include "spawn/subprocess.hpp"
#include "uv/timer.hpp"

namespace tine::spawn {

// A program started by uv_spawn(), for systems without a better way: uv_spawn() forks, which takes
// longer the more memory we have.
class UvSubprocess final : public Subprocess {
 public:
  UvSubprocess(uv::LoopCore& core, const SubprocessOptions& options, Exited exited);
  ~UvSubprocess() override;

  int pid() const override { return pid_; }
  void look_for_loss() override;
  bool kill(int signal) override;
  void set_ref(bool ref) override;

 private:
  int start(const uv_process_options_t& spawn);
  void exited(std::int64_t code, int signal);

  uv::LoopCore& core_;
  Exited exited_;
  uv::UvHandle<uv_process_t> process_;
  std::optional<uv::RawTimer> loss_timer_;
  int pid_ = 0;
  const int parent_ = getpid();
};

}  // namespace tine::spawn
