#include "uv/posted_tasks.hpp"

#include <utility>

#include "uv/check.hpp"
#include "uv/loop_core.hpp"

namespace tine::uv {

void PostedTasks::open(uv_loop_t* loop) {
  auto signal = std::make_unique<uv_async_t>();
  check(uv_async_init(loop, signal.get(),
                      [](uv_async_t* handle) {
                        if (auto* const self = static_cast<PostedTasks*>(handle->data)) {
                          self->core_.enter([self] { self->take(); });
                        }
                      }),
        "an event loop could not be made");
  signal_.reset(signal.release());
  signal_->data = this;
  set_ref(false);
}

// Other threads may still post to a loop that was abandoned: nothing comes of it. In a copy of the
// process such a thread may have held the mutex, and is not there to unlock it.
void PostedTasks::close(bool copied) noexcept {
  TaskQueue dropped;  // destroyed without the lock, because captures may post
  std::unique_lock lock(mutex_, std::defer_lock);
  if (!copied) lock.lock();
  dropped.take(posted_);
  signal_.reset();
}

void PostedTasks::post(Task& task, std::shared_ptr<const void> keep) noexcept {
  const std::lock_guard lock(mutex_);
  if (signal_ == nullptr) return;
  posted_.push(task, std::move(keep));
  uv_async_send(signal_.get());
}

void PostedTasks::take() noexcept {
  const std::lock_guard lock(mutex_);
  due_.take(posted_);
}

}  // namespace tine::uv
