#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>

#include "base/error_events.hpp"
#include "pool/histogram.hpp"
#include "pool/job.hpp"
#include "pool/scheduler.hpp"
#include "pool/worker_process.hpp"
#include "rpc/alarm.hpp"
#include "tine/callback.hpp"
#include "tine/loop.hpp"
#include "tine/pool.hpp"
#include "tine/rpc_error.hpp"
#include "uv/event_sequence.hpp"
#include "uv/keep_alive.hpp"
#include "uv/loop_core.hpp"

namespace tine::pool {

// The state behind the handles to a pool. It does what its Scheduler says with real processes, and settles
// the tasks.
//
// The loop keeps it until "close".
class State final : public Pool::Listeners,
                    public uv::Resident,
                    public std::enable_shared_from_this<State>,
                    public WorkerProcess::Owner {
 public:
  State(Loop& loop, std::filesystem::path module, PoolOptions options);

  // Called once, when there is a handle to this.
  void begin();

  void submit(const std::shared_ptr<Job>& job, Callback<void(rpc::Outcome&)> done);
  void cancel(Job& job);
  void forget(Job& job) noexcept;

  void set_handler(const std::string& method, rpc::Handler handler);
  void close();
  void destroy();
  void reload(Callback<void(std::error_code)> done);

  PoolStats stats() const;
  std::string metrics(std::string_view prefix) const;

 private:
  // In the order in which they are done: what the scheduler says, and what the user is told.
  enum class Due { work, telling };

  void listeners_changed() override { check_thread(); }
  void loop_closing() noexcept override;
  void emit(Due event);
  void schedule(Due event) noexcept { due_.schedule(event, core(), shared_from_this()); }
  void tell(Callback<void()> telling);
  void carry_out();
  void carry_out(const Action& action);
  void pass();
  void update_keep() noexcept;
  void close_now();
  void retire();

  // --- tasks
  void give(WorkerProcess& worker, const std::shared_ptr<Job>& job, const Action& action);
  void answered(WorkerId worker, TaskId task, rpc::Outcome& outcome);
  void note_memory(const WorkerProcess& worker);
  void fail(const Action& action);
  RpcError error_of(const Action& action) const;
  void settle(Job& job, rpc::Outcome& outcome);
  std::shared_ptr<Job> job(TaskId task) const;
  std::shared_ptr<Job> extract(TaskId task) noexcept;

  // --- workers
  void start_worker(WorkerId id);
  void give_handler(WorkerProcess& worker, const std::string& method,
                    const std::shared_ptr<const rpc::Handler>& handler);
  unsigned lineage_of(WorkerId id) const;
  WorkerProcess* worker(WorkerId id) const;
  void worker_ready(WorkerProcess& worker) override;
  void worker_lost(WorkerProcess& worker) override;
  void worker_ended(WorkerProcess& worker) override;
  void worker_error(WorkerProcess& worker, const Error& error) override;
  void gave_up();
  void tell_if_heard(Error error);
  void reloaded(bool success);

  Loop& loop_;
  const std::filesystem::path module_;
  const PoolOptions options_;
  Scheduler scheduler_;
  std::unordered_map<TaskId, std::shared_ptr<Job>> jobs_;
  std::map<WorkerId, std::shared_ptr<WorkerProcess>> workers_;
  std::map<std::string, std::shared_ptr<const rpc::Handler>> handlers_;
  std::string start_failure_;  // why the last worker could not be started

  std::deque<Callback<void()>> to_tell_;
  std::deque<Callback<void(std::error_code)>> reloads_;

  Histogram wait_;
  Histogram run_;
  std::uint64_t completed_ = 0;
  std::uint64_t failures_ = 0;

  std::optional<uv::KeepAlive> keep_alive_;
  rpc::Alarm alarm_{[this] { schedule(Due::work); }};
  base::ErrorEvents error_events_;
  bool closing_ = false;
  uv::EventSequence<Due> due_{[this](Due event) { emit(event); }};
};

}  // namespace tine::pool
