#pragma once

#include <exception>
#include <memory>
#include <utility>

#include "task/context.hpp"
#include "tine/callback.hpp"
#include "tine/task.hpp"

namespace tine::task {

// A task that runs by itself, and owns its context.
class Branch {
 public:
  // Starts the task on a later turn. For `ended` see Context; it may destroy this object.
  Branch(uv::LoopCore& core, Context* parent, Task<void> task, Callback<void()> ended);
  Branch(const Branch&) = delete;
  Branch& operator=(const Branch&) = delete;
  // Destroys the frames.
  ~Branch() { context_->close(); }

  const std::shared_ptr<Context>& context() const { return context_; }

  // What has left the task, or null.
  const std::exception_ptr& exception() const { return task_.frame_.promise().exception_; }
  // Whether it is what a stop ends a task with.
  bool aborted() const;

 private:
  std::shared_ptr<Context> context_;
  Task<void> task_;
};

}  // namespace tine::task
