#pragma once

#include <chrono>
#include <coroutine>
#include <memory>
#include <optional>
#include <stop_token>

#include "tine/callback.hpp"
#include "tine/detail/wait.hpp"
#include "tine/error.hpp"
#include "uv/deadline.hpp"
#include "uv/loop_core.hpp"
#include "uv/stop_watch.hpp"
#include "uv/task.hpp"
#include "uv/timer.hpp"

namespace tine::task {

// What a task and the tasks that it awaits run in: one frame at a time, with one stop and one
// deadline. Tasks that run at the same time have a context each. Their parent is that of the task
// that opened their group, and stops them when it is stopped itself.
//
// Frames run only in run(), which is a task of the loop. A context does not own them: whoever does
// calls close() before it destroys them. A context that a due task keeps alive is inert then.
class Context final : public std::enable_shared_from_this<Context> {
 public:
  // `ended` is called after the end of the outermost task, at the end of a task of the loop. It may
  // destroy the frames, and may throw.
  Context(uv::LoopCore& core, Context* parent, Callback<void()> ended = {});
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() { close(); }

  uv::LoopCore& core() const { return core_; }

  // Runs a frame next: in the task of the loop that runs this context, or else on a later turn. A
  // no-op after close().
  void transfer(std::coroutine_handle<> frame) noexcept;
  void outermost_ended() noexcept;

  // What the innermost frame awaits.
  void wait(Wait& wait) noexcept { wait_ = &wait; }
  void forget(const Wait& wait) noexcept;
  // The wait has ended: its frame is resumed on a later turn.
  void settled() noexcept { defer(); }

  // Ends the wait, if there is one, and all later ones with an error. Only the first reason counts.
  void end_with(Errc reason) noexcept;
  std::optional<Errc> ending() const { return ending_; }
  // Does that with Errc::timed_out when the time is over.
  void limit(uv::Clock::time_point deadline);
  // Returns how much time is left until then; nothing if there is no deadline.
  std::optional<std::chrono::milliseconds> left() const;
  // Does that with Errc::aborted when a stop is requested.
  void stop_on(std::stop_token stop);

  void close() noexcept;

 private:
  void defer() noexcept { core_.defer(task_, shared_from_this()); }
  void run();
  void run_frames();
  void leave_parent() noexcept;

  uv::LoopCore& core_;
  Callback<void()> ended_;
  uv::Task task_{[this] { run(); }};
  std::coroutine_handle<> next_;  // the frame to run next
  Wait* wait_ = nullptr;
  bool running_ = false;
  bool end_due_ = false;  // whether `ended` is to be called
  bool closed_ = false;
  std::optional<Errc> ending_;
  // The earliest one of its own and those of its parents.
  uv::Clock::time_point deadline_ = uv::no_deadline;
  std::shared_ptr<uv::TimerState> deadline_timer_;
  std::unique_ptr<uv::StopWatch> stop_watch_;

  Context* parent_;
  Context* first_child_ = nullptr;
  Context* next_sibling_ = nullptr;
  Context* previous_sibling_ = nullptr;
};

}  // namespace tine::task
