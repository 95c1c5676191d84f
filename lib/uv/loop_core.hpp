#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <unistd.h>

#include "tine/loop.hpp"
#include "uv/due_timers.hpp"
#include "uv/forced_unwind.hpp"
#include "uv/handle.hpp"
#include "uv/pace.hpp"
#include "uv/spin.hpp"
#include "uv/task.hpp"

namespace tine::uv {

class LoopCore;

// A state behind handles of the user's. It may outlive the loop, because handles may; the loop may keep
// it alive until its last event.
class Resident {
 public:
  explicit Resident(LoopCore& core);
  Resident(const Resident&) = delete;
  Resident& operator=(const Resident&) = delete;
  virtual ~Resident();

  // The loop is going: close all libuv handles now, and run nothing of the user's any more. core() is
  // null already.
  virtual void loop_closing() noexcept = 0;

 protected:
  // Null once the loop is gone.
  LoopCore* core() const {
    check_thread();
    return core_;
  }
  // For what the user calls, if it comes to the loop later or not at all.
  void check_thread() const noexcept;

 private:
  friend class LoopCore;

  LoopCore* core_;
};

// Something with bytes to write at the end of the turn. Writing runs nothing of the user's.
class Flushable {
 public:
  virtual void flush_turn() noexcept = 0;

 protected:
  virtual ~Flushable() = default;

 private:
  friend class LoopCore;

  Flushable* next_dirty_ = nullptr;
};

// What a layer above adds to a loop for the layers between to find. It goes with the loop.
class Extension {
 public:
  virtual ~Extension() = default;
};

// What stands behind tine::Loop: the uv_loop_t, the tasks that are due, and the one gate through
// which libuv calls back into tine.
//
// All that runs code of the user's is a task, or runs inside enter(). So there is one place where
// exceptions are caught, and one switch, halted(), that holds everything back after one.
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
  void on_exception(std::function<void(std::exception_ptr)> handler);

  // Runs `f`, called by libuv, then what became due in it. Catches what listeners throw, because an
  // exception must not cross a C frame. Only the end of the thread (pthread_exit) crosses it.
  template <class F>
  void enter(F&& f) {
    if (!running_) goes_on_in_uv_run();
    ++turn_;
    ++depth_;
    guarded(std::forward<F>(f));
    if (--depth_ == 0) end_turn();
  }

  // All but post() is for the thread that drives the loop, while one does. Another one is a mistake that
  // would break the loop now and then: it ends the program, with a sentence.
  void check_thread() const noexcept {
    const std::thread::id driver = driver_.load(std::memory_order_relaxed);
    if (driver != std::thread::id() && driver != std::this_thread::get_id()) wrong_thread();
  }

  // Whether this process is a copy, made by fork(), of the one that the loop was made in or has run in.
  // What is on the loop is the other one's then.
  bool copied() const noexcept;

  // Whether ~Loop has to leave everything as it is: exit() was called in a listener. That is still running
  // then, and the process will end anyway.
  bool to_be_left() const noexcept;

  // Runs a task on a later turn: after the callback that is running, or when the loop comes round.
  // `keep` is what the task is a part of.
  void defer(Task& task, std::shared_ptr<const void> keep) noexcept;
  // The same before all others, for a task that was interrupted by what a listener threw.
  void defer_first(Task& task, std::shared_ptr<const void> keep) noexcept;
  // The same, when the loop has come round and other work has had its turn.
  void defer_to_next_turn(Task& task, std::shared_ptr<const void> keep) noexcept;
  // For what is not foreseen: a task of its own.
  void defer(std::function<void()> run);
  // As that, from any thread.
  void post(std::function<void()> run);
  // The same for a task that is part of a state.
  void post(Task& task, std::shared_ptr<const void> keep) noexcept;

  // True from the moment a listener has thrown out of run() until the loop is driven again.
  bool halted() const { return halted_; }

  // Counts the turns of the loop, and each call of libuv's within one.
  std::uint64_t turn() const { return turn_; }

  // Not to be called again before it is flushed, or forgotten.
  void flush_at_turn_end(Flushable& flushable) noexcept;
  void forget(Flushable& flushable) noexcept;

  // Flushes what waits for the end of the turn, if a listener has run for so long that the clock has
  // ticked. To be called before each listener of a turn that runs several.
  void flush_late() noexcept {
    const bool late = dirty_ != nullptr && !pace_.has_counted() && pace_.ticked(Pace::now());
    if (late) flush_dirty();
  }

  // How densely messages are sent on this loop.
  Pace& pace() {
    check_thread();
    return pace_;
  }

  DueTimers& due_timers() { return due_timers_; }

  // Keeps a state alive until release().
  void keep(std::shared_ptr<Resident> resident);
  void release(const Resident& resident);

  // There is one, or none.
  void extend(std::shared_ptr<Extension> extension) { extension_ = std::move(extension); }
  Extension* extension() const { return extension_.get(); }

  // How many handles keep the loop alive for nothing but bytes that wait to be written.
  void write_started() { ++writes_; }
  void write_ended() { --writes_; }
  // Whether those are all that keeps the loop alive.
  bool only_writes_left() const;

 private:
  friend class Resident;

  void start();
  void run_until_done();
  void run_spinning();
  void goes_on_in_uv_run() noexcept;
  void adopt();
  void drop_all() noexcept;
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
  // Active while tasks or bytes wait outside of any callback: it keeps the loop from blocking.
  UvHandle<uv_idle_t> wakeup_;
  UvHandle<uv_async_t> posted_signal_;

  TaskQueue tasks_;
  TaskQueue next_tasks_;        // due when the loop has come round
  Flushable* dirty_ = nullptr;  // the first of a list
  Pace pace_;
  DueTimers due_timers_;
  std::unordered_set<Resident*> residents_;
  std::unordered_map<const Resident*, std::shared_ptr<Resident>> kept_;

  std::shared_ptr<Extension> extension_;

  std::mutex posted_mutex_;
  TaskQueue posted_;

  std::exception_ptr exception_;
  std::function<void(std::exception_ptr)> exception_handler_;
  Spin spin_;
  std::atomic<std::thread::id>
      driver_;  // the thread in run(), or in a callback of libuv's; or none
  pid_t process_ = getpid();
  std::uint64_t turn_ = 0;
  unsigned writes_ = 0;
  int depth_ = 0;
  bool running_ = false;
  bool stopped_ = false;
  bool halted_ = false;
  bool abandoned_ = false;  // the thread that drove it has ended in a callback
};

inline void Resident::check_thread() const noexcept {
  if (core_ != nullptr) core_->check_thread();
}

}  // namespace tine::uv

namespace tine {
// For the layers above; no user can name it.
uv::LoopCore& core_of(Loop& loop);
}  // namespace tine
