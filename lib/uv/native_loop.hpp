#pragma once

#include <memory>

#include <uv.h>

namespace tine::uv {

// The uv_loop_t of a loop: its own, or the application's.
class NativeLoop {
 public:
  // Makes a loop of its own. Throws Error.
  NativeLoop();
  // Borrows the application's. Throws Error if the application uses another libuv.
  explicit NativeLoop(uv_loop_t* borrowed);
  NativeLoop(const NativeLoop&) = delete;
  NativeLoop& operator=(const NativeLoop&) = delete;
  ~NativeLoop();

  uv_loop_t* get() const { return loop_; }

  // Runs a loop of its own until it can be closed, and frees it. `copied` says whether this process
  // is a copy of the one that made the loop.
  void close(bool copied);
  // Leaves a loop of its own as it is for ever, because libuv cannot close it.
  void abandon() noexcept;

 private:
  std::unique_ptr<uv_loop_t> own_;
  uv_loop_t* loop_;
};

}  // namespace tine::uv
