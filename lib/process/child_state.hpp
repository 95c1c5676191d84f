#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/stream_state.hpp"
#include "process/fork_plan.hpp"
#include "process/peer_state.hpp"
#include "spawn/subprocess.hpp"
#include "tine/child_process.hpp"
#include "uv/event_sequence.hpp"
#include "uv/stop_watch.hpp"
#include "uv/timer.hpp"

namespace tine {

// The state behind the handles to a child. It lives from fork() until "close", or longer while
// there is a handle.
class ChildProcess::State final : public process::PeerState<ChildProcess::Listeners> {
 public:
  using PeerState::PeerState;

  // Forks a child. `worker` is its number if it is a worker of a cluster.
  static ChildProcess fork(uv::LoopCore& core, const std::filesystem::path& module,
                           const ForkOptions& options, std::optional<int> worker = {});

  bool kill(int signal);
  bool kill_tree(int signal);
  void stop(const StopOptions& options);
  bool killed() const { return killed_; }
  void set_ref(bool ref);
  std::optional<int> pid() const { return pid_; }
  std::optional<ExitStatus> exit_status() const { return exit_status_; }
  bool closed() const { return life_.emitted(Stage::close); }
  std::optional<ResourceUsage> resource_usage() const;
  const std::string& file() const { return file_; }
  const std::vector<std::string>& args() const { return args_; }
  Stream stdio(std::size_t slot) const;

  std::optional<ExitStatus> known_exit() const override { return ended_as_; }
  bool exit_follows() const override { return !ended_as_; }

  bool keeps_loop() const override { return true; }
  void on_error(Error error) override;
  void on_ended() override;
  void loop_closing() noexcept override;

 private:
  // The stages of a child's life, in order: its events and the steps between them.
  enum class Stage { spawn, connected, exit, flush, close, retirement };

  // The parent's end of a descriptor of the child.
  struct Pipe {
    std::size_t slot;
    std::shared_ptr<net::StreamState> stream;
  };

  void start(const std::filesystem::path& module, const ForkOptions& options,
             std::optional<int> worker);
  void start(process::ForkPlan& plan, const ForkOptions& options);
  void spawn(process::ForkPlan& plan, const ForkOptions& options);
  void prepare_to_end_by(const ForkOptions& options);
  void failed(Error error);
  void make_pipes(const std::vector<Stdio>& stdio);
  void pipe_closed();
  void close_stdin() noexcept;
  void flush_pipes();
  void abandon_pipes() noexcept;
  void schedule(Stage stage) noexcept;
  void emit(Stage stage);
  void retire_when_read();
  void exited(const spawn::SubprocessExit& exit);
  void end_when_exited();
  bool sent(int signal, bool success);
  void stop_requested();
  void forget_subprocess() noexcept;

  std::string name_;  // in error texts: "child FILE", "worker 1"
  std::string file_;
  std::vector<std::string> args_;
  std::vector<Pipe> pipes_;
  std::size_t open_pipes_ = 0;
  std::unique_ptr<spawn::Subprocess> subprocess_;
  std::optional<int> pid_;
  std::optional<ExitStatus> ended_as_;     // as known to us
  std::optional<ExitStatus> exit_status_;  // as reported to the user
  std::optional<ResourceUsage> usage_;
  bool leads_group_ = false;
  bool kill_with_loop_ = false;
  bool killed_ = false;

  int kill_signal_ = 0;
  std::optional<uv::RawTimer> timeout_;
  std::optional<uv::RawTimer> stop_deadline_;
  std::optional<Error> aborted_;  // reported after a stop request; made in advance

  uv::EventSequence<Stage> life_{[this](Stage stage) { emit(stage); }};
  std::optional<uv::StopWatch> stop_watch_;
};

}  // namespace tine
