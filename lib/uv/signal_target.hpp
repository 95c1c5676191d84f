#pragma once

#include <atomic>
#include <csignal>

namespace tine::uv {

// An entry in the process-wide table of the targets of each signal. While a signal has targets, the
// table's handler is installed for it.
//
// The handler reads the table without a lock, because it may interrupt the thread that changes it.
class SignalTarget {
 public:
  SignalTarget() = default;
  SignalTarget(const SignalTarget&) = delete;
  SignalTarget& operator=(const SignalTarget&) = delete;

  int signal() const { return signal_; }

 protected:
  ~SignalTarget() = default;

  // Enters the table. Throws Error.
  void start(int signal);
  // Leaves the table. Waits for the handler, should it be running on another thread: arrived() is
  // not called afterwards. Must be called before the destructor, once start() has succeeded.
  void stop() noexcept;

 private:
  // Called by the signal handler, on any thread.
  virtual void arrived(bool from_kernel) noexcept = 0;

  static void handle(int signal, siginfo_t* info, void* context);
  static bool install(int signal) noexcept;

  int signal_ = 0;
  std::atomic<SignalTarget*> next_ = nullptr;
};

}  // namespace tine::uv
