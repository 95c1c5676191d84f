#pragma once

#include <memory>
#include <mutex>

#include "uv/handle.hpp"
#include "uv/task.hpp"

namespace tine::uv {

class LoopCore;

// The tasks that were posted to a loop, possibly by other threads, and the signal that wakes the
// loop for them.
class PostedTasks {
 public:
  // Posted tasks are moved to `due`.
  PostedTasks(LoopCore& core, TaskQueue& due) : core_(core), due_(due) {}
  PostedTasks(const PostedTasks&) = delete;
  PostedTasks& operator=(const PostedTasks&) = delete;

  // Throws Error.
  void open(uv_loop_t* loop);
  // Drops all tasks. `copied` says whether this process is a copy of the one that opened this.
  void close(bool copied) noexcept;

  // Thread-safe. A no-op after close().
  void post(Task& task, std::shared_ptr<const void> keep) noexcept;

  // Makes the posted tasks due.
  void take() noexcept;
  // Sets whether waiting for tasks keeps the loop alive.
  void set_ref(bool ref) noexcept { uv::set_ref(signal_, ref); }

 private:
  LoopCore& core_;
  TaskQueue& due_;
  std::mutex mutex_;
  TaskQueue posted_;             // guarded by mutex_
  UvHandle<uv_async_t> signal_;  // not null while open; guarded by mutex_ in other threads
};

}  // namespace tine::uv
