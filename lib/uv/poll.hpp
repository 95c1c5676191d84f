#pragma once

#include <functional>

#include "uv/handle.hpp"
#include "uv/loop_core.hpp"

namespace tine::uv {

// A uv_poll_t that calls a function while its descriptor is ready for what is wanted, or broken:
// which of these is for the function to find out.
//
// It calls from inside LoopCore::enter(). The descriptor becomes non-blocking, is closed after this
// is destroyed, and is watched by nothing else on the loop.
class Poll {
 public:
  // Throws Error.
  Poll(LoopCore& core, int fd, std::function<void()> ready);

  // Nothing is wanted at first.
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
