// Tasks that run at the same time in one task.
#pragma once

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <memory>
#include <utility>

#include "tine/detail/export.hpp"
#include "tine/detail/promise.hpp"

namespace tine::task {

class GroupState;

// What Scope, all() and any() are made of. The tasks inherit the stop and the deadline of the task
// that opened the group. The destructor destroys those that have not ended, the last one first.
class TINE_EXPORT Group {
 public:
  // all_end: the first exception stops the other tasks. first_ends: the first end does.
  enum class Until { all_end, first_ends };

  // The awaiter that opens a group in the task that awaits it. It does not suspend the task.
  class [[nodiscard]] Opening {
   public:
    explicit Opening(Until until) : until_(until) {}
    bool await_ready() const noexcept { return false; }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> frame) {
      static_assert(std::derived_from<P, PromiseBase>,
                    "tine: a scope is opened in a tine::Task, whose stop and deadline its tasks "
                    "inherit");
      if constexpr (std::derived_from<P, PromiseBase>) parent_ = &frame.promise();
      return false;
    }
    Group await_resume() const { return Group(*parent_, until_); }

   private:
    Until until_;
    PromiseBase* parent_ = nullptr;
  };

  // The awaiter of the end of all tasks. It throws what the group failed with.
  class [[nodiscard]] Joining {
   public:
    explicit Joining(Group& group) : group_(group) {}
    bool await_ready() const noexcept { return group_.empty(); }
    template <std::derived_from<PromiseBase> P>
    void await_suspend(std::coroutine_handle<P> waiting) const noexcept {
      group_.resume(waiting.promise(), waiting);
    }
    void await_resume() const { group_.rethrow(); }

   private:
    Group& group_;
  };

  Group(PromiseBase& parent, Until until);
  Group(Group&& other) noexcept;
  Group& operator=(Group&& other) noexcept;
  ~Group();

  void start(Task<void> task);
  void stop() noexcept;
  bool empty() const noexcept;
  Joining join() { return Joining(*this); }

  // The place of the task that ended first, in the order of the calls of start(), from 0.
  std::size_t first() const noexcept;

 private:
  // Resumes `waiting` when all tasks have ended.
  void resume(PromiseBase& promise, std::coroutine_handle<> waiting) noexcept;
  void rethrow();

  std::unique_ptr<GroupState> state_;
};

}  // namespace tine::task
