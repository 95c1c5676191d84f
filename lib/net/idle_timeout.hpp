#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <utility>

#include "uv/loop_core.hpp"
#include "uv/timer.hpp"

namespace tine::net {

// A timer that expires when nothing has happened for a while, then not again until something has.
// It does not keep the loop alive.
class IdleTimeout {
 public:
  // `expired` is called from inside LoopCore::enter() and may not run user code itself.
  explicit IdleTimeout(std::function<void()> expired) : expired_(std::move(expired)) {}
  IdleTimeout(const IdleTimeout&) = delete;
  IdleTimeout& operator=(const IdleTimeout&) = delete;

  // Starts anew. Zero: never expires.
  void set(uv::LoopCore& core, std::chrono::milliseconds idle);
  void stop() noexcept { timer_.reset(); }
  bool is_set() const { return timer_.has_value(); }

  // To be called when something has happened.
  void active() noexcept;

 private:
  void look();

  std::function<void()> expired_;
  std::chrono::milliseconds idle_{};
  std::chrono::steady_clock::time_point last_active_;
  std::optional<uv::RawTimer> timer_;
  bool running_ = false;  // timer_
};

}  // namespace tine::net
