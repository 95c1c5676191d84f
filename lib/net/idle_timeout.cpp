#include "net/idle_timeout.hpp"

#include <utility>

namespace tine::net {

void IdleTimeout::set(uv::LoopCore& core, std::chrono::milliseconds idle) {
  stop();
  if (idle <= idle.zero()) return;
  idle_ = idle;
  running_ = false;
  timer_.emplace(core, [this] { look(); });
  timer_->set_ref(false);
  active();
}

// A running timer is not restarted: when it expires, look() takes the time that has passed since.
void IdleTimeout::active() noexcept {
  if (!timer_) return;
  last_active_ = std::chrono::steady_clock::now();
  if (!std::exchange(running_, true)) timer_->start(idle_);
}

void IdleTimeout::look() {
  const auto silent = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - last_active_);
  if (silent < idle_) return timer_->start(idle_ - silent);
  running_ = false;
  expired_();
}

}  // namespace tine::net
