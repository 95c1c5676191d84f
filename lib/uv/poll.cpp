#include "uv/poll.hpp"

#include <memory>
#include <utility>

#include "uv/check.hpp"

namespace tine::uv {

Poll::Poll(LoopCore& core, int fd, std::function<void()> ready)
    : core_(core), ready_(std::move(ready)) {
  auto handle = std::make_unique<uv_poll_t>();
  check(uv_poll_init(core.native(), handle.get(), fd), "a descriptor could not be watched");
  handle_.reset(handle.release());
  handle_->data = this;
}

void Poll::want(bool readable, bool writable) noexcept {
  const int events = (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0);
  if (std::exchange(events_, events) == events) return;
  start();
}

// libuv stops polling on an error of the descriptor. The error may be gone once it is read, so
// polling is started again.
void Poll::start() noexcept {
  if (!usable(handle_)) return;
  if (events_ == 0) {
    uv_poll_stop(handle_.get());
    return;
  }
  uv_poll_start(handle_.get(), events_, [](uv_poll_t* handle, int status, int) {
    auto* const self = static_cast<Poll*>(handle->data);
    if (self == nullptr) return;
    if (status < 0) self->start();
    self->core_.enter([ready = self->ready_] { ready(); });  // ready() may destroy the poll
  });
}

}  // namespace tine::uv
