#pragma once

#include <atomic>
#include <thread>

#include <unistd.h>

namespace tine::uv {

// Who drives a loop: the thread in run() or in a callback of libuv, if any. And the process that
// what is on the loop belongs to.
class Driver {
 public:
  // This thread drives the loop until end().
  void begin() noexcept { thread_.store(std::this_thread::get_id(), std::memory_order_relaxed); }
  void end() noexcept { thread_.store({}, std::memory_order_relaxed); }

  // Ends the program with a sentence on stderr if another thread drives the loop.
  void check_thread() const noexcept {
    const std::thread::id thread = thread_.load(std::memory_order_relaxed);
    if (thread != std::thread::id() && thread != std::this_thread::get_id()) wrong_thread();
  }

  // Returns whether this process is a copy of the one that the loop belongs to.
  bool copied() const noexcept { return getpid() != process_; }
  // The loop belongs to this process from now on.
  void adopt() noexcept { process_ = getpid(); }

 private:
  [[noreturn]] static void wrong_thread() noexcept;

  std::atomic<std::thread::id> thread_;
  pid_t process_ = getpid();
};

}  // namespace tine::uv
