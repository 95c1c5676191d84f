#include "uv/timer.hpp"

#include <algorithm>
#include <utility>

namespace tine::uv {

namespace {

// Returns the delay for libuv, whose clock is rounded down to milliseconds: without this, a timer
// of 5 ms could expire after 4.01 ms. The delay is at least one millisecond, as in Node: a timer of
// zero that restarts itself would keep libuv from all other work.
std::uint64_t delay_for(uv_loop_t* loop, std::chrono::milliseconds delay) {
  constexpr std::uint64_t ns_per_ms = 1'000'000;
  constexpr std::int64_t longest = std::int64_t{1} << 52;
  uv_update_time(loop);
  const std::uint64_t now = (uv_hrtime() + ns_per_ms - 1) / ns_per_ms;
  const auto whole =
      static_cast<std::uint64_t>(std::clamp<std::int64_t>(delay.count(), 1, longest));
  return now - uv_now(loop) + whole;
}

}  // namespace

RawTimer::RawTimer(LoopCore& core, std::function<void()> expired)
    : core_(core), expired_(std::move(expired)), handle_(new uv_timer_t) {
  uv_timer_init(core.native(), handle_.get());
  handle_->data = this;
}

void RawTimer::start(std::chrono::milliseconds delay) {
  core_.due_timers().remove(*this);
  const auto expired = [](uv_timer_t* handle) {
    if (auto* const self = static_cast<RawTimer*>(handle->data)) {
      self->core_.due_timers().add(*self);
    }
  };
  uv_timer_start(handle_.get(), expired, delay_for(core_.native(), delay), 0);
}

void RawTimer::stop() {
  core_.due_timers().remove(*this);
  uv_timer_stop(handle_.get());
}

void RawTimer::set_ref(bool ref) {
  uv::set_ref(handle_, ref);
  core_.due_timers().set_ref(*this, ref);
}

// Calls a copy, because the function may destroy the timer.
void RawTimer::fire() {
  const auto function = expired_;
  function();
}

TimerState::TimerState(LoopCore& core, Callback<void()> function)
    : Resident(core), function_(std::move(function)), due_([this] { run(); }) {}

std::shared_ptr<TimerState> TimerState::start(LoopCore& core, std::chrono::milliseconds delay,
                                              Callback<void()> function) {
  const std::shared_ptr<TimerState> state(new TimerState(core, std::move(function)));
  state->timer_ = std::make_unique<RawTimer>(
      core, [raw = state.get()] { raw->core()->defer(raw->due_, raw->shared_from_this()); });
  state->timer_->start(delay);
  core.keep(state);
  return state;
}

void TimerState::run() {
  if (!function_) return;  // cancelled after it expired
  const auto function = std::move(function_);
  cancel();
  function();
}

void TimerState::cancel() {
  const auto keep = shared_from_this();
  timer_.reset();
  if (core() != nullptr) core()->release(*this);
  // Destroyed when this returns: the captures may hold this timer.
  const auto captures = std::exchange(function_, nullptr);
}

void TimerState::set_ref(bool ref) {
  if (timer_) timer_->set_ref(ref);
}

void TimerState::loop_closing() noexcept { cancel(); }

}  // namespace tine::uv
