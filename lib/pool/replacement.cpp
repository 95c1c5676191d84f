#include "pool/replacement.hpp"

namespace tine::pool {

void Replacement::add_worn(Worker& worker) noexcept {
  if (!worn_.has(worker)) worn_.push_back(worker);
}

void Replacement::remove(Worker& worker) noexcept {
  if (worn_.has(worker)) worn_.remove(worker);
  if (to_reload_.has(worker)) to_reload_.remove(worker);
}

Worker* Replacement::next(Clock::time_point now) const {
  for (Worker* worker = to_reload_.first(); worker != nullptr; worker = to_reload_.after(*worker)) {
    if (worker->state == WorkerState::ready) return worker;
  }
  return now >= next_try_ ? worn_.first() : nullptr;
}

void Replacement::end_reload() noexcept {
  reloading_ = false;
  --reloads_;
  while (Worker* const worker = to_reload_.first()) to_reload_.remove(*worker);
}

void Replacement::begin(Worker& old, Worker& successor) noexcept {
  old_ = &old;
  successor_ = &successor;
  for_reload_ = to_reload_.has(old);
}

void Replacement::succeeded() noexcept {
  successor_ = nullptr;
  failures_ = 0;
  if (old_->state == WorkerState::ready) ++done_;  // otherwise it ends by itself
}

void Replacement::failed(Clock::time_point now) {
  next_try_ = uv::deadline_after(now, limits_.backoff(++failures_));
  end();
}

void Replacement::end() noexcept {
  old_ = nullptr;
  successor_ = nullptr;
  for_reload_ = false;
}

Clock::time_point Replacement::next_try() const {
  return busy() || worn_.empty() ? uv::no_deadline : next_try_;
}

}  // namespace tine::pool
