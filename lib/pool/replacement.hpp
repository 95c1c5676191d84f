#pragma once

#include <cstddef>
#include <cstdint>

#include "pool/limits.hpp"
#include "pool/records.hpp"

namespace tine::pool {

// Which workers are to be replaced, because they are worn or because of reload(), and the one that is being
// replaced. At most one is at a time.
class Replacement {
 public:
  // The limits outlive it.
  explicit Replacement(const Limits& limits) : limits_(limits) {}

  // --- which are to be replaced
  void add_worn(Worker& worker) noexcept;
  void add_to_reload(Worker& worker) noexcept { to_reload_.push_back(worker); }
  // It takes no more tasks.
  void remove(Worker& worker) noexcept;
  // The next one that is ready. Null if there is none now.
  Worker* next(Clock::time_point now) const;

  // --- reloads
  void request_reload() noexcept { ++reloads_; }
  std::size_t reloads() const { return reloads_; }
  // The first of them is under way.
  bool reloading() const { return reloading_; }
  void begin_reload() noexcept { reloading_ = true; }
  bool reload_done() const { return reloading_ && to_reload_.empty() && !busy(); }
  void end_reload() noexcept;

  // --- the one that is being replaced
  bool busy() const { return old_ != nullptr; }
  void begin(Worker& old, Worker& successor) noexcept;
  Worker* old() const { return old_; }
  // While it is starting.
  const Worker* successor() const { return successor_; }
  bool for_reload() const { return for_reload_; }
  void succeeded() noexcept;
  void failed(Clock::time_point now);
  // The old one is gone, so the successor is a worker like others.
  void end() noexcept;

  std::uint64_t done() const { return done_; }
  // When next() may have another worker. no_deadline: an event will tell.
  Clock::time_point next_try() const;

 private:
  const Limits& limits_;
  List<Worker, &Worker::in_worn> worn_;
  List<Worker, &Worker::in_reload> to_reload_;
  std::size_t reloads_ = 0;
  bool reloading_ = false;

  Worker* old_ = nullptr;
  Worker* successor_ = nullptr;
  bool for_reload_ = false;
  unsigned failures_ = 0;
  Clock::time_point next_try_ = Clock::time_point::min();
  std::uint64_t done_ = 0;
};

}  // namespace tine::pool
