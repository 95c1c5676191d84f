#pragma once

#include <new>

#include "uv/handle.hpp"
#include "uv/loop_core.hpp"

namespace tine::uv {

// Keeps the loop running, until it is destroyed, for what will come by ways that do not.
class KeepAlive {
 public:
  explicit KeepAlive(LoopCore& core) {
    auto handle = std::make_unique<uv_async_t>();
    if (uv_async_init(core.native(), handle.get(), nullptr) < 0) throw std::bad_alloc();
    handle_.reset(handle.release());
  }

  void set_ref(bool ref) { uv::set_ref(handle_, ref); }

 private:
  UvHandle<uv_async_t> handle_;  // one that nobody signals
};

}  // namespace tine::uv
