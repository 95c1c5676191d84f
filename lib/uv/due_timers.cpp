#include "uv/due_timers.hpp"

#include <memory>
#include <utility>

#include "uv/loop_core.hpp"

namespace tine::uv {

namespace {

// A poll reads up to 64 KiB from a socket, which holds some hundred KiB.
constexpr int most_polls = 4;

}  // namespace

// Opening these handles cannot fail.
void DueTimers::open(uv_loop_t* loop) {
  auto after_poll = std::make_unique<uv_check_t>();
  auto no_block = std::make_unique<uv_idle_t>();
  uv_check_init(loop, after_poll.get());
  uv_idle_init(loop, no_block.get());
  after_poll_.reset(after_poll.release());
  no_block_.reset(no_block.release());
  after_poll_->data = this;
  uv::set_ref(no_block_, false);
}

void DueTimers::close() noexcept {
  while (first_ != nullptr) remove(*first_);
  after_poll_.reset();
  no_block_.reset();
}

void DueTimers::add(Timer& timer) noexcept {
  if (std::exchange(timer.due_, true)) return;
  if (first_ == nullptr) {
    polls_ = 0;
    turn_ = core_.turn();
  }
  Timer** end = &first_;
  while (*end != nullptr) end = &(*end)->next_;
  *end = &timer;
  update();
}

void DueTimers::remove(Timer& timer) noexcept {
  if (!std::exchange(timer.due_, false)) return;
  Timer** link = &first_;
  while (*link != &timer) link = &(*link)->next_;
  *link = std::exchange(timer.next_, nullptr);
  update();
}

void DueTimers::set_ref(Timer& timer, bool ref) noexcept {
  timer.ref_ = ref;
  update();
}

void DueTimers::update() noexcept {
  if (!usable(after_poll_) || !usable(no_block_)) return;
  if (first_ == nullptr) {
    uv_check_stop(after_poll_.get());
    uv_idle_stop(no_block_.get());
    return;
  }
  uv_check_start(after_poll_.get(), [](uv_check_t* handle) {
    if (auto* const self = static_cast<DueTimers*>(handle->data)) self->polled();
  });
  uv_idle_start(no_block_.get(), [](uv_idle_t*) {});
  bool ref = false;
  for (const Timer* timer = first_; timer != nullptr; timer = timer->next_) ref |= timer->ref_;
  uv::set_ref(after_poll_, ref);
}

// Calls each timer as libuv would: a timer may stop any other, and due tasks run after each.
void DueTimers::polled() {
  const std::uint64_t before = std::exchange(turn_, core_.turn());
  const bool something_came = turn_ != before;
  if (something_came && ++polls_ < most_polls) return;
  while (Timer* const timer = first_) {
    remove(*timer);
    core_.enter([timer] { timer->fire(); });
  }
}

}  // namespace tine::uv
