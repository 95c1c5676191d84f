#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <utility>

#include "tine/callback.hpp"
#include "tine/loop.hpp"
#include "uv/caught_exception.hpp"
#include "uv/driver.hpp"
#include "uv/due_timers.hpp"
#include "uv/extensions.hpp"
#include "uv/flush_list.hpp"
#include "uv/forced_unwind.hpp"
#include "uv/handle.hpp"
#include "uv/native_loop.hpp"
#include "uv/pace.hpp"
#include "uv/posted_tasks.hpp"
#include "uv/resident.hpp"
#include "uv/spin.hpp"
#include "uv/task.hpp"

namespace tine::uv {

// The implementation of tine::Loop: the uv_loop_t, the tasks that are due, and the one gate through
// which libuv calls back into tine.
//
// All user code runs in a task or inside enter(). So exceptions are caught in one place, and one
// switch, halted(), holds everything back after an exception.
class LoopCore {
 public:
  LoopCore() { start(); }
  explicit LoopCore(uv_loop_t* borrowed) : loop_(borrowed) { start(); }
  LoopCore(const LoopCore&) = delete;
  LoopCore& operator=(const LoopCore&) = delete;
  ~LoopCore();

  uv_loop_t* native() const { return loop_.get(); }

  void run();
  void stop();
  void spin(std::chrono::microseconds longest) {
    check_thread();
    spin_ = Spin(longest);
  }
  void set_ref(bool ref) {
    check_thread();
    posted_.set_ref(ref);
  }
  void on_exception(Callback<void(std::exception_ptr)> handler);

  // Runs `f` in a callback of libuv, then the tasks that are due. Catches what listeners throw,
  // because an exception must not cross a C frame. Only the end of the thread (pthread_exit)
  // crosses it.
  template <class F>
  void enter(F&& f) {
    if (state_ != State::in_run) goes_on_in_uv_run();
    ++turn_;
    ++depth_;
    guarded(std::forward<F>(f));
    if (--depth_ == 0) end_turn();
  }

  // While a thread drives the loop, only this thread may use it, except for post(). Another thread
  // would break the loop now and then, so its call ends the program with a sentence on stderr.
  void check_thread() const noexcept { driver_.check_thread(); }

  // Returns whether this process is a copy, made by fork(), of the process in which the loop was
  // made or last ran. What is on the loop belongs to that process then.
  bool copied() const noexcept { return driver_.copied(); }

  // Returns whether ~Loop must leave everything as it is, because exit() was called in a listener:
  // the listener is still running, and the process will end anyway. The same holds in a copy of the
  // process that was made in a listener.
  bool to_be_left() const noexcept;

  // Runs a task on a later turn: after the callback that is running, or in the next loop iteration.
  // `keep` is the object that the task is part of.
  void defer(Task& task, std::shared_ptr<const void> keep) noexcept;
  // Does the same before all other tasks, for a task that was interrupted by an exception of a
  // listener.
  void defer_first(Task& task, std::shared_ptr<const void> keep) noexcept;
  // Does the same in the next loop iteration, after other work has had its turn.
  void defer_to_next_turn(Task& task, std::shared_ptr<const void> keep) noexcept;
  // Makes a task for a function and defers it, for cases without a prepared task.
  void defer(Callback<void()> run);
  // Makes a task for a function and defers it. Thread-safe.
  void post(Callback<void()> run);
  // Defers a task that is part of a state. Thread-safe.
  void post(Task& task, std::shared_ptr<const void> keep) noexcept {
    posted_.post(task, std::move(keep));
  }

  // Returns true after a listener has thrown in run(), until the loop is driven again.
  bool halted() const { return exception_.halted(); }

  // Returns how many turns there were: calls from libuv, of which a loop iteration may have
  // several.
  std::uint64_t turn() const { return turn_; }

  // Flushes an object at the end of the turn. Must not be called again before the object is flushed
  // or forgotten.
  void flush_at_turn_end(Flushable& flushable) noexcept;
  void forget(Flushable& flushable) noexcept { to_flush_.remove(flushable); }

  // Flushes what waits for the end of the turn if a listener has run for so long that the clock has
  // ticked. Call this before each listener of a turn that runs several.
  void flush_late() noexcept {
    const bool late = !to_flush_.empty() && !pace_.has_counted() && pace_.ticked(Pace::now());
    if (late) to_flush_.flush();
  }

  // Returns the measure of how densely messages are sent on this loop.
  Pace& pace() {
    check_thread();
    return pace_;
  }

  DueTimers& due_timers() { return due_timers_; }

  // Keeps a state alive until release().
  void keep(std::shared_ptr<Resident> resident) {
    check_thread();
    residents_.keep(std::move(resident));
  }
  void release(const Resident& resident) {
    check_thread();
    residents_.release(resident);
  }

  void add_extension(std::shared_ptr<Extension> extension) {
    extensions_.add(std::move(extension));
  }
  void remove_extension(const Extension& extension) noexcept { extensions_.remove(extension); }
  // Returns the newest extension of this type, or null.
  template <class T>
  T* extension() const {
    return extensions_.find<T>();
  }

  // For WriteHold: counts what keeps the loop alive only for bytes that wait to be written.
  void write_started() { ++writes_; }
  void write_ended() { --writes_; }
  // Returns whether nothing else keeps the loop alive.
  bool only_writes_left() const;

 private:
  friend class Resident;

  // in_run: run() is on the stack. open: the application may drive the loop. abandoned: nobody can,
  // because the thread that drove it has ended in a callback.
  enum class State { open, in_run, abandoned };

  void start();
  void run_until_done();
  void run_spinning();
  void goes_on_in_uv_run() noexcept;
  void adopt();
  void drop_all() noexcept;
  void abandon() noexcept;
  bool in_use() const { return state_ == State::in_run || (state_ == State::open && depth_ > 0); }
  void end_turn();
  void run_due_tasks();
  void update_wakeup() noexcept;
  bool work_left() const { return !tasks_.empty() || !next_tasks_.empty() || !to_flush_.empty(); }
  void caught();

  template <class F>
  void guarded(F&& f) {
    try {
      f();
    } catch (const ForcedUnwind&) {
      abandon();
      throw;
    } catch (...) {
      caught();
    }
  }

  NativeLoop loop_;
  Driver driver_;
  State state_ = State::open;
  int depth_ = 0;  // how many callbacks of libuv and tasks are on the stack
  std::uint64_t turn_ = 0;
  bool stopped_ = false;
  Spin spin_;
  CaughtException exception_;

  // Active while tasks or bytes wait outside of any callback, to keep the loop from blocking.
  UvHandle<uv_idle_t> wakeup_;
  TaskQueue tasks_;
  TaskQueue next_tasks_;  // due in the next loop iteration
  PostedTasks posted_{*this, tasks_};
  FlushList to_flush_;
  Pace pace_;
  DueTimers due_timers_{*this};
  unsigned writes_ = 0;

  Residents residents_;
  Extensions extensions_;
};

inline void Resident::check_thread() const noexcept {
  if (core_ != nullptr) core_->check_thread();
}

}  // namespace tine::uv

namespace tine {
// For the layers above; users cannot name it.
uv::LoopCore& core_of(Loop& loop);
}  // namespace tine
