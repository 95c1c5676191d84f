#include "pool/state.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "pool/limits_of.hpp"
#include "pool/metrics.hpp"
#include "process/access.hpp"
#include "rpc/error_details.hpp"
#include "task/lineage.hpp"

namespace tine::pool {

namespace {

std::chrono::microseconds microseconds_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration_cast<std::chrono::microseconds>(to - from);
}

// Destroys what the user has given to a task.
void drop(Job& job) noexcept {
  const auto keep = std::move(job.state);
  job.stop_watch.reset();
  const auto progress = std::move(job.progress);
  const auto done = std::move(job.done);
}

}  // namespace

State::State(Loop& loop, std::filesystem::path module, PoolOptions options)
    : Resident(core_of(loop)),
      loop_(loop),
      module_(std::move(module)),
      options_(std::move(options)),
      scheduler_(limits_of(options_)) {}

// The workers that are always kept are started on the next turn.
void State::begin() {
  keep_alive_.emplace(*core());
  keep_alive_->set_ref(false);
  core()->keep(shared_from_this());
  schedule(Due::work);
}

// --- tasks

void State::submit(const std::shared_ptr<Job>& job, Callback<void(rpc::Outcome&)> done) {
  if (core() == nullptr) return drop(*job);
  job->done = std::move(done);
  job->submitted = Clock::now();
  job->id = scheduler_.submit(job->submitted, {.priority = job->priority,
                                               .key = job->key,
                                               .within = job->within,
                                               .run_within = job->run_within,
                                               .retries = job->handle ? 0 : job->retries,
                                               .level = job->level});
  jobs_.emplace(job->id, job);
  if (job->stop.stop_possible()) {
    job->stop_watch.emplace(*core(), job->weak_from_this(), [&job = *job] { job.cancel(); });
    job->stop_watch->start(std::move(job->stop));
  }
  update_keep();
  schedule(Due::work);
}

void Job::cancel() {
  if (state) state->cancel(*this);
}

void Job::forget() noexcept {
  if (state) state->forget(*this);
}

void State::cancel(Job& job) {
  if (core() == nullptr || !jobs_.contains(job.id)) return;
  scheduler_.cancel(job.id, Clock::now());
  schedule(Due::work);
}

// If memory runs out, the worker does the task all the same.
void State::forget(Job& job) noexcept try {
  const auto keep = shared_from_this();
  const bool known = core() != nullptr && extract(job.id) != nullptr;
  drop(job);
  if (!known) return;
  scheduler_.cancel(job.id, Clock::now());
  schedule(Due::work);
} catch (const std::bad_alloc&) {
}

std::shared_ptr<Job> State::job(TaskId task) const {
  const auto found = jobs_.find(task);
  return found == jobs_.end() ? nullptr : found->second;
}

std::shared_ptr<Job> State::extract(TaskId task) noexcept {
  auto node = jobs_.extract(task);
  if (node.empty()) return nullptr;
  update_keep();
  return std::move(node.mapped());
}

// What the scheduler times stays with the worker when the time is over: its answer tells that it is free.
void State::give(WorkerProcess& worker, const std::shared_ptr<Job>& job, const Action& action) {
  const auto request = std::make_shared<rpc::Pending>(worker.rpc());
  request->unsent = std::make_unique<rpc::Unsent>();
  rpc::Unsent& unsent = *request->unsent;
  unsent.method = job->method;
  if (action.last_try) {
    unsent.params = std::move(job->params);
  } else {
    unsent.params = job->params;
  }
  unsent.handle = job->handle;
  unsent.keep_open = job->keep_open;
  unsent.deadline = action.left;
  unsent.waits_on = true;
  if (job->progress) {
    request->make_extras().progress = [job](const nlohmann::json& value) {
      if (job->progress) job->progress(value);
    };
  }
  job->started = Clock::now();
  worker.take({job->id, job->level, request});
  worker.rpc()->caller().send(
      request, [weak = weak_from_this(), id = worker.id(), task = job->id](rpc::Outcome& outcome) {
        if (const auto self = weak.lock()) self->answered(id, task, outcome);
      });
}

// Without a channel there is no answer: the task waits for the end of its worker.
void State::answered(WorkerId id, TaskId task, rpc::Outcome& outcome) {
  if (core() == nullptr) return;
  if (outcome.error != nullptr && outcome.error->code() == Errc::channel_closed) return;
  const auto now = Clock::now();
  scheduler_.task_ended(id, task, now);
  if (WorkerProcess* const its_worker = worker(id)) {
    its_worker->answered(task);
    note_memory(*its_worker);
  }
  const auto job = this->job(task);
  const bool waits = job && !job->failing;
  if (waits) extract(task);
  carry_out();
  if (!waits) return;  // it was late, cancelled or forgotten
  wait_.add(microseconds_between(job->submitted, job->started));
  run_.add(microseconds_between(job->started, now));
  ++(outcome.error == nullptr ? completed_ : failures_);
  settle(*job, outcome);
}

void State::note_memory(const WorkerProcess& worker) {
  if (options_.recycle.memory == 0) return;
  const auto memory = process::Access::memory_of(worker.child());
  if (memory) scheduler_.memory(worker.id(), *memory, Clock::now());
}

// Nothing of the user's stays in a task that is settled. What its callback does is at the level of whoever
// made the task.
void State::settle(Job& job, rpc::Outcome& outcome) {
  const auto keep = std::move(job.state);
  job.stop_watch.reset();
  const auto progress = std::move(job.progress);
  const auto done = std::move(job.done);
  const task::LineageScope scope(job.level);
  if (done) done(outcome);
}

void State::fail(const Action& action) {
  const auto job = this->job(action.task);
  if (!job) return;  // it was forgotten
  tell([this, task = action.task, error = error_of(action)] {
    rpc::Outcome outcome{.error = &error};
    if (const auto failed = extract(task)) settle(*failed, outcome);
  });
  job->failing = true;
}

RpcError State::error_of(const Action& action) const {
  using Why = Action::Why;
  switch (action.why) {
    case Why::aborted: return {Errc::aborted, "a task was given up"};
    case Why::timed_out: return {Errc::timed_out, "a task was not done"};
    case Why::queue_full:
      return {Errc::queue_full, "a task was refused: " + std::to_string(scheduler_.queued()) +
                                    " others wait for a worker"};
    case Why::pool_closed: return {Errc::pool_closed, "a task was not done"};
    case Why::worker_start_failed:
      return {Errc::worker_start_failed, "a task was not done: " + start_failure_};
    case Why::worker_died: break;
  }
  const WorkerProcess* const dead = worker(action.worker);
  if (dead == nullptr) return {Errc::worker_died, "a task was not done"};
  return rpc::ErrorDetails::worker_died("a task was not done: " + dead->obituary(),
                                        dead->exit_status());
}

// --- what is due

void State::emit(Due event) {
  if (event == Due::work) return pass();
  due_.emit_each(event, to_tell_, [](const Callback<void()>& telling) { telling(); });
}

void State::tell(Callback<void()> telling) {
  to_tell_.push_back(std::move(telling));
  schedule(Due::telling);
}

void State::pass() {
  scheduler_.pass(Clock::now());
  carry_out();
}

void State::carry_out() {
  Action action;
  while (scheduler_.take(action)) carry_out(action);
  alarm_.set(*core(), scheduler_.next_pass());
}

void State::carry_out(const Action& action) {
  WorkerProcess* const its_worker = worker(action.worker);
  switch (action.kind) {
    case Action::Kind::start_worker: return start_worker(action.worker);
    case Action::Kind::run:
      if (const auto its_job = job(action.task)) give(*its_worker, its_job, action);
      return;
    case Action::Kind::cancel_at_worker: return its_worker->cancel(action.task);
    case Action::Kind::settle: return fail(action);
    case Action::Kind::stop_worker: return its_worker->stop(options_.stop);
    case Action::Kind::kill_worker: return its_worker->kill();
    case Action::Kind::gave_up: return gave_up();
    case Action::Kind::drain: return tell([this] { notify<"drain">(); });
    case Action::Kind::reloaded: return reloaded(action.success);
    case Action::Kind::closed: return tell([this] { close_now(); });
  }
}

void State::update_keep() noexcept {
  if (keep_alive_) keep_alive_->set_ref(closing_ || !jobs_.empty());
}

// --- workers

WorkerProcess* State::worker(WorkerId id) const {
  const auto found = workers_.find(id);
  return found == workers_.end() ? nullptr : found->second.get();
}

void State::start_worker(WorkerId id) {
  const auto worker = std::make_shared<WorkerProcess>(loop_, *this, id);
  workers_.emplace(id, worker);
  worker->start(module_, options_);
  for (const auto& [method, handler] : handlers_) give_handler(*worker, method, handler);
}

void State::set_handler(const std::string& method, rpc::Handler handler) {
  if (core() == nullptr) return;
  const auto shared = std::make_shared<const rpc::Handler>(std::move(handler));
  handlers_[method] = shared;
  for (const auto& [id, worker] : workers_) give_handler(*worker, method, shared);
}

void State::give_handler(WorkerProcess& worker, const std::string& method,
                         const std::shared_ptr<const rpc::Handler>& handler) {
  const auto& rpc = worker.rpc();
  if (!rpc) return;
  const auto handle = [weak = weak_from_this(), id = worker.id(), handler](nlohmann::json& params,
                                                                           const Reply& reply) {
    const auto self = weak.lock();
    const task::LineageScope scope(self ? self->lineage_of(id) : 0);
    (*handler)(params, reply);
  };
  rpc->responder().handlers().set(method, rpc::Handler(handle));
  rpc->handlers_changed();
}

// Which of its tasks a worker asks for is not known, so the deepest one counts.
unsigned State::lineage_of(WorkerId id) const {
  const WorkerProcess* const asking = worker(id);
  if (asking == nullptr || asking->given().empty()) return 0;
  unsigned level = 0;
  for (const WorkerProcess::Given& given : asking->given())
    level = std::max(level, given.level);
  return level + 1;
}

void State::worker_ready(WorkerProcess& worker) {
  scheduler_.worker_ready(worker.id(), Clock::now());
  tell([this, child = worker.child()]() mutable { notify<"start">(child); });
  carry_out();
}

void State::worker_lost(WorkerProcess& worker) {
  scheduler_.worker_lost(worker.id(), Clock::now());
  carry_out();
}

void State::worker_ended(WorkerProcess& worker) {
  const auto keep = worker.shared_from_this();
  const auto now = Clock::now();
  if (worker.child().pid()) {
    tell([this, child = worker.child(), status = worker.exit_status()]() mutable {
      notify<"exit">(child, status);
    });
  }
  if (!worker.was_ready()) {
    start_failure_ = worker.obituary();
    tell_if_heard(Error(Errc::worker_start_failed, start_failure_));
    scheduler_.worker_start_failed(worker.id(), now);
  } else {
    const bool unnoticed = !worker.to_end() && worker.given().empty();
    if (unnoticed) tell_if_heard(Error(Errc::worker_died, worker.obituary()));
    scheduler_.worker_exited(worker.id(), now);
  }
  carry_out();
  workers_.erase(worker.id());
}

void State::worker_error(WorkerProcess&, const Error& error) { tell_if_heard(error); }

void State::tell_if_heard(Error error) {
  tell([this, error = std::move(error)]() mutable {
    if (error_events_.heard(*this)) notify<"error">(error);
  });
}

// If a task waits, it fails with the reason.
void State::gave_up() {
  if (scheduler_.queued() > 0) return;
  tell([this,
        error = Error(Errc::worker_start_failed, "the pool has no workers: " + start_failure_)] {
    error_events_.emit(*this, error);
  });
}

// --- the pool

void State::close() {
  if (core() == nullptr) return;
  closing_ = true;
  scheduler_.close(Clock::now());
  update_keep();
  schedule(Due::work);
}

void State::destroy() {
  if (core() == nullptr) return;
  closing_ = true;
  scheduler_.destroy(Clock::now());
  update_keep();
  schedule(Due::work);
}

void State::reload(Callback<void(std::error_code)> done) {
  if (core() == nullptr) return;
  reloads_.push_back(std::move(done));
  scheduler_.reload(Clock::now());
  schedule(Due::work);
}

void State::reloaded(bool success) {
  tell([this, success] {
    const auto done = std::move(reloads_.front());
    reloads_.pop_front();
    if (done) done(success ? std::error_code() : make_error_code(Errc::worker_start_failed));
  });
}

void State::close_now() {
  closing_ = false;
  update_keep();
  tell([this] { retire(); });
  notify<"close">();
}

void State::retire() {
  const auto keep = shared_from_this();
  alarm_.close();
  keep_alive_.reset();
  handlers_.clear();
  error_events_.remove_listeners(*this);
  core()->release(*this);
}

void State::loop_closing() noexcept {
  const auto keep = weak_from_this().lock();
  alarm_.close();
  keep_alive_.reset();
  for (const auto& [id, worker] : workers_) worker->close();
  for (const auto& [task, job] : std::exchange(jobs_, {})) drop(*job);
  to_tell_.clear();
  reloads_.clear();
  handlers_.clear();
  clear();
}

PoolStats State::stats() const {
  PoolStats stats;
  stats.queued = scheduler_.queued();
  stats.running = scheduler_.running();
  stats.workers = scheduler_.workers();
  stats.idle = scheduler_.idle();
  stats.starting = scheduler_.starting();
  stats.completed = completed_;
  stats.failed = failures_;
  stats.cancelled = scheduler_.cancelled();
  stats.timed_out = scheduler_.timed_out();
  stats.retried = scheduler_.retried();
  stats.crashed = scheduler_.crashed();
  stats.recycled = scheduler_.recycled();
  stats.wait_p50 = wait_.percentile(0.5);
  stats.wait_p99 = wait_.percentile(0.99);
  stats.run_p50 = run_.percentile(0.5);
  stats.run_p99 = run_.percentile(0.99);
  return stats;
}

std::string State::metrics(std::string_view prefix) const {
  return metrics_text(prefix, stats(), wait_, run_);
}

}  // namespace tine::pool
