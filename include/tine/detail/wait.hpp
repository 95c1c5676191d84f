// The base of what a tine::Task can await.
#pragma once

#include <chrono>
#include <concepts>
#include <coroutine>
#include <memory>
#include <optional>

#include "tine/detail/export.hpp"
#include "tine/detail/promise.hpp"
#include "tine/error.hpp"

namespace tine::uv {
class TimerState;
}

namespace tine::task {

// One await: an awaiter that waits for an event. It is a part of the frame that awaits.
//
// Ends once, whatever comes first: settle(), a stop or a deadline of the task, the time of this
// wait, or the destruction of the frame. The frame goes on in a task of the loop, so a derived class
// may call settle() in a listener or in any other callback.
//
// A derived class registers in begin() with what it waits for. Its destructor takes that back, as
// end() does: until then the callbacks refer to this object.
class TINE_EXPORT Wait {
 public:
  using Time = std::optional<std::chrono::milliseconds>;

  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;

  bool await_ready() const noexcept { return false; }

  template <class P>
  void await_suspend(std::coroutine_handle<P> frame) {
    static_assert(std::derived_from<P, PromiseBase>,
                  "tine: this can be awaited in a tine::Task; a coroutine of another type awaits "
                  "tine::on_loop(loop, ...)");
    if constexpr (std::derived_from<P, PromiseBase>) suspend(frame.promise(), frame);
  }

 protected:
  explicit Wait(Time time = {}) : time_(time) {}
  virtual ~Wait();

  // The event has come: resumes the task on a later turn. A no-op if this wait has ended.
  void settle() noexcept;
  // Ends this wait with an error. A no-op if it has ended.
  void fail(Errc reason) noexcept;
  // For await_resume(): throws why there is no event.
  void check() const;
  // Returns why there is no event.
  std::optional<Errc> failure() const { return failure_; }
  // Returns how much time the task has until its deadline; nothing if it has none.
  Time left() const;

 private:
  friend class Context;

  enum class State { idle, waiting, settled };

  void suspend(PromiseBase& promise, std::coroutine_handle<> frame);
  bool settled() const { return state_ == State::settled; }
  // Whether the task has to wait for another turn although the wait is settled.
  bool unfinished() { return !failure_ && may_get_more(); }
  std::coroutine_handle<> finish() noexcept;
  void stop_timer() noexcept;

  // Called when the task has been suspended. May throw, and may call settle().
  virtual void begin() {}
  // Asked after settle(), before the task goes on: whether there is something that this wait should
  // get first. Then it is asked again in the next loop iteration.
  virtual bool may_get_more() { return false; }
  // Called before the task goes on, and at once if it goes on without the event.
  virtual void end() noexcept {}
  // Called when the time of this wait is over.
  virtual void expired() noexcept { fail(Errc::timed_out); }

  State state_ = State::idle;
  Time time_;
  std::optional<Errc> failure_;
  Context* context_ = nullptr;
  std::coroutine_handle<> frame_;
  std::shared_ptr<uv::TimerState> timer_;
};

}  // namespace tine::task
