#pragma once

#include <functional>

#include "uv/handle.hpp"
#include "uv/loop_core.hpp"

namespace tine::uv {

// A uv_poll_t that calls a function while its descriptor is ready for what is wanted, or broken.
// The function must find out which of these it is.
//
// The function is called from inside LoopCore::enter(). The descriptor becomes non-blocking. It
// must be closed only after this object is destroyed, and nothing else on the loop may watch it.
class Poll {
 public:
  // Throws Error.
  Poll(LoopCore& core, int fd, std::function<void()> ready);

  // Sets what to wait for: nothing at first.
  void want(bool readable, bool writable) noexcept;
  void set_ref(bool ref) { uv::set_ref(handle_, ref); }

 private:
  void start() noexcept;

  LoopCore& core_;
  std::function<void()> ready_;
  UvHandle<uv_poll_t> handle_;
  int events_ = 0;
};

}  // namespace tine::uv
