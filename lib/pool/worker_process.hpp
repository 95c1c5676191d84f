#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pool/action.hpp"
#include "pool/output_tail.hpp"
#include "rpc/pending.hpp"
#include "rpc/state.hpp"
#include "supervision/ready_watch.hpp"
#include "tine/child_process.hpp"
#include "tine/loop.hpp"
#include "tine/pool.hpp"
#include "uv/timer.hpp"

namespace tine::pool {

// One worker of a pool: its process, and what the pool learns of it.
//
// It keeps neither the loop running nor the pool alive. All its reports come on later turns; the owner may
// throw what a listener of the user throws.
class WorkerProcess final : public std::enable_shared_from_this<WorkerProcess> {
 public:
  // What a worker tells its pool. The pool outlives its workers.
  class Owner {
   public:
    virtual void worker_ready(WorkerProcess& worker) = 0;
    // Its channel has ended.
    virtual void worker_lost(WorkerProcess& worker) = 0;
    // It has ended, or could not be started. The last call about it.
    virtual void worker_ended(WorkerProcess& worker) = 0;
    virtual void worker_error(WorkerProcess& worker, const Error& error) = 0;

   protected:
    ~Owner() = default;
  };

  WorkerProcess(Loop& loop, Owner& owner, WorkerId id) : loop_(loop), owner_(owner), id_(id) {}
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;
  ~WorkerProcess() = default;

  // Starts its process.
  void start(const std::filesystem::path& module, const PoolOptions& options);
  // Drops everything, because the loop goes away.
  void close() noexcept;

  WorkerId id() const { return id_; }
  const ChildProcess& child() const { return child_; }
  const std::shared_ptr<rpc::State>& rpc() const { return rpc_; }
  bool was_ready() const { return was_ready_; }
  ExitStatus exit_status() const { return child_.exit_status().value_or(ExitStatus{}); }

  void stop(const StopOptions& options);
  void kill();
  // Whether it was told to end.
  bool to_end() const { return to_end_; }

  // A task that it has, until it answers.
  struct Given {
    TaskId task;
    unsigned level;  // see Job
    std::shared_ptr<rpc::Pending> request;
  };
  void take(Given given) { given_.push_back(std::move(given)); }
  void answered(TaskId task);
  // Tells it that nobody wants the answer for a task any more.
  void cancel(TaskId task);
  const std::vector<Given>& given() const { return given_; }

  // Returns what happened to it: its pid, how it ended, and the end of its stderr.
  std::string obituary() const;

 private:
  void listen(const PoolOptions& options);
  void listen_to_stderr(bool passed_on);
  void failed(const Error& error);
  void ready_or_not(const supervision::Started& started);
  void exited();
  void ended();

  Loop& loop_;
  Owner& owner_;
  const WorkerId id_;
  ChildProcess child_;
  std::shared_ptr<rpc::State> rpc_;
  std::optional<supervision::ReadyWatch> ready_watch_;
  std::vector<Given> given_;
  OutputTail stderr_tail_;
  std::string failure_;  // why it could not be started, or is not ready
  // Waits for the rest of its output after its exit.
  std::optional<uv::RawTimer> output_wait_;
  bool was_ready_ = false;
  bool to_end_ = false;
  bool ended_ = false;
};

}  // namespace tine::pool
