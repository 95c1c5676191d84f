#pragma once

#include <cstddef>

#include "pool/limits.hpp"
#include "pool/records.hpp"

namespace tine::pool {

// How fast workers may be started. Failures in a row slow it down.
//
// Workers that are started at the same time count as one attempt. A worker that is ready and dies at once,
// before it has done a task, counts as a failed start, too, if the one before has done the same. But once a
// worker has done a task, the program is known to start: if a worker dies with a task, it is the task's fault.
class StartPace {
 public:
  // The limits outlive it.
  explicit StartPace(const Limits& limits) : limits_(limits) {}

  bool may_start(Clock::time_point now, std::size_t starting) const {
    return !given_up_ && now >= next_start_ && (failures_ == 0 || starting == 0);
  }
  // When a start that has to wait may be made. no_deadline: an event will tell.
  Clock::time_point next_start(std::size_t starting) const {
    return given_up_ || (failures_ > 0 && starting > 0) ? uv::no_deadline : next_start_;
  }

  // A worker bears the attempt that it was started in.
  unsigned attempt() const { return attempt_; }
  void failed(unsigned attempt, Clock::time_point now);
  void ready() noexcept {
    if (early_deaths_ == 0) worked();
  }
  void died(const Worker& worker, Clock::time_point now);
  // A worker has done a task.
  void task_done() noexcept {
    known_to_start_ = true;
    worked();
  }

  // So many failures in a row that it is to be given up.
  bool exhausted() const { return failures_ >= limits_.start_attempts; }
  void give_up() noexcept { given_up_ = true; }
  bool given_up() const { return given_up_; }
  // Starts workers again, after the backoff.
  void begin_anew() noexcept;

 private:
  static constexpr std::chrono::seconds early{1};

  void worked() noexcept {
    failures_ = early_deaths_ = 0;
    next_start_ = Clock::time_point::min();
  }

  const Limits& limits_;
  unsigned attempt_ = 0;
  unsigned failures_ = 0;
  unsigned early_deaths_ = 0;
  bool known_to_start_ = false;
  bool given_up_ = false;
  Clock::time_point next_start_ = Clock::time_point::min();
};

}  // namespace tine::pool
