#include "pool/start_pace.hpp"

namespace tine::pool {

void StartPace::failed(unsigned attempt, Clock::time_point now) {
  if (attempt != attempt_) return;
  ++attempt_;
  ++failures_;
  next_start_ = uv::deadline_after(now, limits_.backoff(failures_));
}

void StartPace::died(const Worker& worker, Clock::time_point now) {
  const bool by_task = known_to_start_ && worker.occupied > 0;
  if (by_task || worker.done > 0 || now - worker.ready_at >= early) return worked();
  if (++early_deaths_ > 1) failed(worker.attempt, now);
}

void StartPace::begin_anew() noexcept {
  if (!given_up_) return;
  given_up_ = false;
  failures_ = early_deaths_ = 0;
}

}  // namespace tine::pool
