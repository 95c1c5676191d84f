#pragma once

#include <memory>
#include <utility>

#include <uv.h>

namespace tine::uv {

// A deleter that ends a libuv handle the one way libuv allows: uv_close() now, delete in the close
// callback.
//
// T is a handle, or a struct that starts with one. `data` is cleared first, so that a callback that
// libuv still owes, such as UV_ECANCELED for a pending write, can see that its owner is gone.
//
// The application may have closed the handle already: many applications close everything that
// uv_walk() finds when they end. Then the application's close callback, if any, is called before
// the handle is deleted.
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
  // Returns whether the close callback was called: until then the loop lists the handle.
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

// The only owner of an open libuv handle.
template <class T>
using UvHandle = std::unique_ptr<T, CloseThenDelete>;

template <class T>
uv_handle_t* base(const UvHandle<T>& handle) {
  return reinterpret_cast<uv_handle_t*>(handle.get());
}

// Returns whether the handle can be used. The application may have closed it, although the handle
// is not its own.
template <class T>
bool usable(const UvHandle<T>& handle) {
  return handle != nullptr && !uv_is_closing(base(handle));
}

// Sets whether the handle keeps its loop running while it is active.
template <class T>
void set_ref(const UvHandle<T>& handle, bool ref) {
  if (ref) {
    uv_ref(base(handle));
  } else {
    uv_unref(base(handle));
  }
}

}  // namespace tine::uv
