#include "tine/loop.hpp"

#include "uv/libuv_abi.hpp"
#include "uv/loop_core.hpp"
#include "uv/timer.hpp"

namespace tine {

Loop::Loop() : core_(std::make_unique<uv::LoopCore>()) {}
Loop::Loop(uv_loop_s* borrowed) : core_(std::make_unique<uv::LoopCore>(borrowed)) {}

// A core that is left behind stays reachable, or a leak checker would report it.
Loop::~Loop() {
  [[maybe_unused]] static uv::LoopCore* left = nullptr;
  if (core_->to_be_left()) left = core_.release();
}

void Loop::run() { core_->run(); }
void Loop::stop() { core_->stop(); }
void Loop::spin(std::chrono::microseconds longest) { core_->spin(longest); }
void Loop::post(Callback<void()> function) { core_->post(std::move(function)); }
void Loop::ref() { core_->set_ref(true); }
void Loop::unref() { core_->set_ref(false); }

uv_loop_s* Loop::native() const {
  uv::check_libuv_is_shared();
  return core_->native();
}

void Loop::on_exception(Callback<void(std::exception_ptr)> handler) {
  core_->on_exception(std::move(handler));
}

Timer Loop::after(std::chrono::milliseconds delay, Callback<void()> function) {
  return Timer(uv::TimerState::start(core_of(*this), delay, std::move(function)));
}

uv::LoopCore& core_of(Loop& loop) {
  loop.core_->check_thread();
  return *loop.core_;
}

Timer::Timer(std::shared_ptr<uv::TimerState> state) : state_(std::move(state)) {}

void Timer::cancel() const {
  if (state_) state_->cancel();
}

void Timer::ref() const {
  if (state_) state_->set_ref(true);
}

void Timer::unref() const {
  if (state_) state_->set_ref(false);
}

}  // namespace tine
