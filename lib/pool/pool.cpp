#include "tine/pool.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "pool/job.hpp"
#include "pool/state.hpp"
#include "task/lineage.hpp"

namespace tine {

namespace detail {

UnsentWork::UnsentWork(std::shared_ptr<pool::Job> job) : job_(std::move(job)) {}

void UnsentWork::set_deadline(std::chrono::milliseconds deadline) {
  if (job_) job_->within = deadline;
}

void UnsentWork::limit(std::chrono::milliseconds deadline) {
  if (!job_) return;
  auto& own = job_->within;
  own = own ? std::min(*own, deadline) : deadline;
}

void UnsentWork::set_run_deadline(std::chrono::milliseconds deadline) {
  if (job_) job_->run_within = deadline;
}

void UnsentWork::set_stop(std::stop_token token) {
  if (job_) job_->stop = std::move(token);
}

void UnsentWork::set_priority(int level) {
  if (job_) job_->priority = level;
}

void UnsentWork::set_key(std::string_view key) {
  if (job_) job_->key = key;
}

void UnsentWork::set_retries(unsigned times) {
  if (job_) job_->retries = times;
}

void UnsentWork::set_handle(Handle handle, SendOptions options) {
  if (!job_) return;
  job_->handle = std::move(handle);
  job_->keep_open = options.keep_open;
}

void UnsentWork::set_progress(Callback<void(const nlohmann::json&)> listener) {
  if (job_) job_->progress = std::move(listener);
}

Call UnsentWork::send(Callback<void(rpc::Outcome&)> done) {
  const auto job = std::move(job_);
  if (job) job->state->submit(job, std::move(done));
  return Call(job);
}

}  // namespace detail

Pool::Pool(Loop& loop, const std::filesystem::path& module, PoolOptions options)
    : Pool(std::make_shared<pool::State>(loop, module, std::move(options))) {
  state_->begin();
}

Pool::Pool(std::shared_ptr<pool::State> state) : Emitter(state), state_(std::move(state)) {}

detail::UnsentWork Pool::make(std::string_view method, detail::Value params) const {
  if (!state_) return detail::UnsentWork(nullptr);
  auto job = std::make_shared<pool::Job>(state_, std::string(method), std::move(params));
  job->level = task::lineage();
  return detail::UnsentWork(std::move(job));
}

void Pool::set_handler(std::string method, rpc::Handler handler) const {
  if (state_) state_->set_handler(method, std::move(handler));
}

void Pool::close() const {
  if (state_) state_->close();
}
void Pool::destroy() const {
  if (state_) state_->destroy();
}
void Pool::reload(Callback<void(std::error_code)> done) const {
  if (state_) state_->reload(std::move(done));
}
PoolStats Pool::stats() const { return state_ ? state_->stats() : PoolStats(); }
std::string Pool::metrics(std::string_view prefix) const {
  return state_ ? state_->metrics(prefix) : std::string();
}

}  // namespace tine
