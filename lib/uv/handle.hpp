#pragma once

#include <memory>
#include <utility>

#include <uv.h>

namespace tine::uv {

// Ends a libuv handle the one way libuv allows: uv_close() now, delete in the close callback.
//
// T is a handle, or a struct that starts with one. `data` is cleared first: a callback that libuv
// still owes, such as UV_ECANCELED for a pending write, sees by that that its owner is gone.
//
// The application may have closed the handle already: many close all that uv_walk() finds when they end.
// Then the callback that it gave, if any, is called before the handle is deleted.
struct CloseThenDelete {
  template <class T>
  void operator()(T* handle) const noexcept {
    auto* const base = reinterpret_cast<uv_handle_t*>(handle);
    base->data = nullptr;
    if (!uv_is_closing(base)) {
      uv_close(base, [](uv_handle_t* closed) { delete reinterpret_cast<T*>(closed); });
    } else if (is_closed(base)) {
      delete handle;
    } else {
      base->data = reinterpret_cast<void*>(base->close_cb);
      base->close_cb = [](uv_handle_t* closed) {
        const auto given = reinterpret_cast<uv_close_cb>(std::exchange(closed->data, nullptr));
        if (given != nullptr) given(closed);
        delete reinterpret_cast<T*>(closed);
      };
    }
  }

 private:
  // A loop knows a handle until it has called its close callback.
  static bool is_closed(const uv_handle_t* handle) noexcept {
    uv_walk(
        handle->loop,
        [](uv_handle_t* known, void* wanted) {
          auto& sought = *static_cast<const uv_handle_t**>(wanted);
          if (sought == known) sought = nullptr;
        },
        &handle);
    return handle != nullptr;
  }
};

// The one owner of an open libuv handle.
template <class T>
using UvHandle = std::unique_ptr<T, CloseThenDelete>;

template <class T>
uv_handle_t* base(const UvHandle<T>& handle) {
  return reinterpret_cast<uv_handle_t*>(handle.get());
}

// Whether the handle can be used: the application may have closed it, though it is not its own.
template <class T>
bool usable(const UvHandle<T>& handle) {
  return handle != nullptr && !uv_is_closing(base(handle));
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
