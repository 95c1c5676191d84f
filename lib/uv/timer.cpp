#include "uv/timer.hpp"

#include <algorithm>
#include <utility>

namespace tine::uv {

RawTimer::RawTimer(LoopCore& core, std::function<void()> expired)
    : core_(core), expired_(std::move(expired)), handle_(new uv_timer_t) {
  uv_timer_init(core.native(), handle_.get());
  handle_->data = this;
}

// At least a millisecond, as in Node: one of none that starts itself again would keep libuv from all
// else.
void RawTimer::start(std::chrono::milliseconds delay) {
  uv_update_time(core_.native());  // else the time since the turn began is taken off the delay
  const auto expired = [](uv_timer_t* handle) {
    if (auto* const self = static_cast<RawTimer*>(handle->data)) {
      self->core_.enter([function = self->expired_] { function(); });  // it may destroy the timer
    }
  };
  uv_timer_start(handle_.get(), expired,
                 static_cast<std::uint64_t>(std::max<std::int64_t>(delay.count(), 1)), 0);
}

void RawTimer::stop() { uv_timer_stop(handle_.get()); }

TimerState::TimerState(LoopCore& core, std::function<void()> function)
    : Resident(core), function_(std::move(function)), due_([this] { run(); }) {}

std::shared_ptr<TimerState> TimerState::start(LoopCore& core, std::chrono::milliseconds delay,
                                              std::function<void()> function) {
  const std::shared_ptr<TimerState> state(new TimerState(core, std::move(function)));
  state->timer_ = std::make_unique<RawTimer>(
      core, [raw = state.get()] { raw->core()->defer(raw->due_, raw->shared_from_this()); });
  state->timer_->start(delay);
  core.keep(state);
  return state;
}

void TimerState::run() {
  if (!function_) return;  // cancelled since it ran down
  const auto function = std::move(function_);
  cancel();
  function();
}

void TimerState::cancel() {
  const auto keep = shared_from_this();
  timer_.reset();
  if (core() != nullptr) core()->release(*this);
  const auto captures =
      std::exchange(function_, nullptr);  // destroyed last: it may hold this timer
}

void TimerState::set_ref(bool ref) {
  if (timer_) timer_->set_ref(ref);
}

void TimerState::loop_closing() noexcept { cancel(); }

}  // namespace tine::uv
