#pragma once

#include <new>

#include "uv/handle.hpp"
#include "uv/loop_core.hpp"

namespace tine::uv {

// A guard that keeps the loop running while it exists, for events whose own sources do not.
class KeepAlive {
 public:
  explicit KeepAlive(LoopCore& core) {
    auto handle = std::make_unique<uv_async_t>();
    if (uv_async_init(core.native(), handle.get(), nullptr) < 0) throw std::bad_alloc();
    handle_.reset(handle.release());
  }

  void set_ref(bool ref) { uv::set_ref(handle_, ref); }

 private:
  UvHandle<uv_async_t> handle_;  // never signalled
};

}  // namespace tine::uv
