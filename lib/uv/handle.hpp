#pragma once

#include <memory>

#include <uv.h>

namespace tine::uv {

// Ends a libuv handle the one way libuv allows: uv_close() now, delete in the close callback.
//
// T is a handle, or a struct that starts with one. `data` is cleared first: a callback that libuv
// still owes, such as UV_ECANCELED for a pending write, sees by that that its owner is gone.
struct CloseThenDelete {
  template <class T>
  void operator()(T* handle) const noexcept {
    auto* const base = reinterpret_cast<uv_handle_t*>(handle);
    base->data = nullptr;
    uv_close(base, [](uv_handle_t* closed) { delete reinterpret_cast<T*>(closed); });
  }
};

// The one owner of an open libuv handle.
template <class T>
using UvHandle = std::unique_ptr<T, CloseThenDelete>;

template <class T>
uv_handle_t* base(const UvHandle<T>& handle) {
  return reinterpret_cast<uv_handle_t*>(handle.get());
}

// Whether the handle keeps its loop running while it is active.
template <class T>
void set_ref(const UvHandle<T>& handle, bool ref) {
  if (ref) {
    uv_ref(base(handle));
  } else {
    uv_unref(base(handle));
  }
}

}  // namespace tine::uv
