#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "tine/callback.hpp"

namespace tine::uv {

// A function to run on a later turn of the loop.
//
// A task is made before it is due, so that scheduling it needs no memory: what must be reported is
// reported even if memory has run out.
class Task {
 public:
  explicit Task(Callback<void()> run) : run_(std::move(run)) {}
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;

  bool due() const { return keep_ != nullptr; }

 private:
  friend class TaskQueue;

  Callback<void()> run_;
  std::shared_ptr<const void> keep_;  // the object that the task is part of, while it is due
  Task* next_ = nullptr;
};

// A queue of the tasks that are due, in order.
class TaskQueue {
 public:
  TaskQueue() = default;
  TaskQueue(const TaskQueue&) = delete;
  TaskQueue& operator=(const TaskQueue&) = delete;
  ~TaskQueue() { clear(); }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // Appends a task; a no-op if it is due already. `keep` is the object that the task is part of. It
  // stays alive until the task has run or is dropped.
  void push(Task& task, std::shared_ptr<const void> keep) noexcept {
    if (task.due()) return;
    task.keep_ = std::move(keep);
    append(task);
  }

  // Does the same for a task that was interrupted, but in front of all others.
  void push_front(Task& task, std::shared_ptr<const void> keep) noexcept {
    if (task.due()) return;
    task.keep_ = std::move(keep);
    task.next_ = std::exchange(first_, &task);
    if (task.next_ == nullptr) end_ = &task.next_;
    ++size_;
  }

  // Moves all tasks of another queue to the end of this one.
  void take(TaskQueue& other) noexcept {
    while (Task* const task = other.pop()) append(*task);
  }

  // Runs the first task, which is not due any more then.
  void run_first() {
    Task& task = *pop();
    const auto keep = std::move(task.keep_);
    task.run_();
  }

  // Drops all tasks without running them.
  void clear() noexcept {
    while (Task* const task = pop()) const auto keep = std::move(task->keep_);
  }

 private:
  void append(Task& task) noexcept {
    *end_ = &task;
    end_ = &task.next_;
    ++size_;
  }

  Task* pop() noexcept {
    Task* const task = first_;
    if (task == nullptr) return nullptr;
    first_ = std::exchange(task->next_, nullptr);
    if (first_ == nullptr) end_ = &first_;
    --size_;
    return task;
  }

  Task* first_ = nullptr;
  Task** end_ = &first_;
  std::size_t size_ = 0;
};

}  // namespace tine::uv
