#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <unistd.h>

#include "tine/callback.hpp"
#include "tine/loop.hpp"
#include "uv/due_timers.hpp"
#include "uv/forced_unwind.hpp"
#include "uv/handle.hpp"
#include "uv/pace.hpp"
#include "uv/spin.hpp"
#include "uv/task.hpp"

namespace tine::uv {

class LoopCore;

// The state behind the handles that a user holds. It may outlive the loop, because handles may. The
// loop may keep it alive until its last event.
class Resident {
 public:
  explicit Resident(LoopCore& core);
  Resident(const Resident&) = delete;
  Resident& operator=(const Resident&) = delete;
  virtual ~Resident();

  // Called when the loop goes away: closes all libuv handles at once. No user code may run any
  // more, and core() is null already.
  virtual void loop_closing() noexcept = 0;

 protected:
  // Returns the loop, or null once it is gone.
  LoopCore* core() const {
    check_thread();
    return core_;
  }
  // Checks the thread in functions for the user that reach the loop only later, or not at all.
  void check_thread() const noexcept;

 private:
  friend class LoopCore;

  LoopCore* core_;
};

// An object that has bytes to write at the end of the turn. Writing runs no user code.
class Flushable {
 public:
  virtual void flush_turn() noexcept = 0;

 protected:
  virtual ~Flushable() = default;

 private:
  friend class LoopCore;

  Flushable* next_dirty_ = nullptr;
};

// An object that a higher layer attaches to a loop for the layers between to find. It is destroyed
// with the loop.
class Extension {
 public:
  virtual ~Extension() = default;
};

// The implementation of tine::Loop: the uv_loop_t, the tasks that are due, and the one gate through
// which libuv calls back into tine.
//
// All user code runs in a task or inside enter(). So exceptions are caught in one place, and one
// switch, halted(), holds everything back after an exception.
class LoopCore {
 public:
  LoopCore();
  explicit LoopCore(uv_loop_t* borrowed);
  LoopCore(const LoopCore&) = delete;
  LoopCore& operator=(const LoopCore&) = delete;
  ~LoopCore();

  uv_loop_t* native() const { return loop_; }

  void run();
  void stop();
  void spin(std::chrono::microseconds longest) {
    check_thread();
    spin_ = Spin(longest);
  }
  void set_ref(bool ref) {
    check_thread();
    uv::set_ref(posted_signal_, ref);
  }
  void on_exception(Callback<void(std::exception_ptr)> handler);

  // Runs `f` in a callback of libuv, then the tasks that are due. Catches what listeners throw,
  // because an exception must not cross a C frame. Only the end of the thread (pthread_exit)
  // crosses it.
  template <class F>
  void enter(F&& f) {
    if (!running_) goes_on_in_uv_run();
    ++turn_;
    ++depth_;
    guarded(std::forward<F>(f));
    if (--depth_ == 0) end_turn();
  }

  // While a thread drives the loop, only this thread may use it, except for post(). Another thread
  // would break the loop now and then, so its call ends the program with a sentence on stderr.
  void check_thread() const noexcept {
    const std::thread::id driver = driver_.load(std::memory_order_relaxed);
    if (driver != std::thread::id() && driver != std::this_thread::get_id()) wrong_thread();
  }

  // Returns whether this process is a copy, made by fork(), of the process in which the loop was
  // made or last ran. What is on the loop belongs to that process then.
  bool copied() const noexcept;

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
  void post(Task& task, std::shared_ptr<const void> keep) noexcept;

  // Returns true after a listener has thrown in run(), until the loop is driven again.
  bool halted() const { return halted_; }

  // Returns how many turns there were: calls from libuv, of which a loop iteration may have
  // several.
  std::uint64_t turn() const { return turn_; }

  // Flushes an object at the end of the turn. Must not be called again before the object is flushed
  // or forgotten.
  void flush_at_turn_end(Flushable& flushable) noexcept;
  void forget(Flushable& flushable) noexcept;

  // Flushes what waits for the end of the turn if a listener has run for so long that the clock has
  // ticked. Call this before each listener of a turn that runs several.
  void flush_late() noexcept {
    const bool late = dirty_ != nullptr && !pace_.has_counted() && pace_.ticked(Pace::now());
    if (late) flush_dirty();
  }

  // Returns the measure of how densely messages are sent on this loop.
  Pace& pace() {
    check_thread();
    return pace_;
  }

  DueTimers& due_timers() { return due_timers_; }

  // Keeps a state alive until release().
  void keep(std::shared_ptr<Resident> resident);
  void release(const Resident& resident);

  void add_extension(std::shared_ptr<Extension> extension) {
    extensions_.push_back(std::move(extension));
  }
  void remove_extension(const Extension& extension) noexcept;
  // Returns the newest extension of this type, or null.
  template <class T>
  T* extension() const {
    for (auto one = extensions_.rbegin(); one != extensions_.rend(); ++one) {
      if (auto* const found = dynamic_cast<T*>(one->get())) return found;
    }
    return nullptr;
  }

  // Counts the handles that keep the loop alive only for bytes that wait to be written.
  void write_started() { ++writes_; }
  void write_ended() { --writes_; }
  // Returns whether these handles are all that keeps the loop alive.
  bool only_writes_left() const;

 private:
  friend class Resident;

  void start();
  void run_until_done();
  void run_spinning();
  void goes_on_in_uv_run() noexcept;
  void adopt();
  void drop_all() noexcept;
  void drop_posted() noexcept;
  void abandon() noexcept;
  bool in_use() const { return (running_ || depth_ > 0) && !abandoned_; }
  [[noreturn]] static void wrong_thread() noexcept;
  void end_turn();
  void run_due_tasks();
  void flush_dirty() noexcept;
  void update_wakeup() noexcept;
  void take_posted();
  bool work_left() const { return !tasks_.empty() || !next_tasks_.empty() || dirty_ != nullptr; }
  void caught();
  void close_loop();
  bool requests_open() const { return loop_->active_reqs.count > 0 && !copied(); }

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

  bool owned_;
  uv_loop_t* loop_;
  // Active while tasks or bytes wait outside of any callback, to keep the loop from blocking.
  UvHandle<uv_idle_t> wakeup_;
  UvHandle<uv_async_t> posted_signal_;

  TaskQueue tasks_;
  TaskQueue next_tasks_;        // due in the next loop iteration
  Flushable* dirty_ = nullptr;  // first of a linked list
  Pace pace_;
  DueTimers due_timers_;
  std::unordered_set<Resident*> residents_;
  std::unordered_map<const Resident*, std::shared_ptr<Resident>> kept_;

  std::vector<std::shared_ptr<Extension>> extensions_;

  std::mutex posted_mutex_;
  TaskQueue posted_;

  std::exception_ptr exception_;
  Callback<void(std::exception_ptr)> exception_handler_;
  Spin spin_;
  std::atomic<std::thread::id> driver_;  // the thread in run() or in a libuv callback, if any
  pid_t process_ = getpid();
  std::uint64_t turn_ = 0;
  unsigned writes_ = 0;
  int depth_ = 0;
  bool running_ = false;
  bool stopped_ = false;
  bool halted_ = false;
  bool abandoned_ = false;  // the thread that drove the loop has ended in a callback
};

inline void Resident::check_thread() const noexcept {
  if (core_ != nullptr) core_->check_thread();
}

}  // namespace tine::uv

namespace tine {
// For the layers above; users cannot name it.
uv::LoopCore& core_of(Loop& loop);
}  // namespace tine
