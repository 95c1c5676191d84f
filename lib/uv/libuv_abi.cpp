#include "uv/libuv_abi.hpp"

#include <string>
#include <system_error>

#include <uv.h>

#include "tine/error.hpp"

namespace tine::uv {

namespace {

static_assert(UV_VERSION_HEX >= 0x012C00, "tine needs libuv 1.44 or newer");

// Compares the libuv structs that tine uses.
bool same_sizes() {
  return uv_loop_size() == sizeof(uv_loop_t) && uv_handle_size(UV_ASYNC) == sizeof(uv_async_t) &&
         uv_handle_size(UV_CHECK) == sizeof(uv_check_t) &&
         uv_handle_size(UV_IDLE) == sizeof(uv_idle_t) &&
         uv_handle_size(UV_POLL) == sizeof(uv_poll_t) &&
         uv_handle_size(UV_PROCESS) == sizeof(uv_process_t) &&
         uv_handle_size(UV_TIMER) == sizeof(uv_timer_t) &&
         uv_req_size(UV_GETADDRINFO) == sizeof(uv_getaddrinfo_t);
}

Error not_supported(const std::string& why) {
  return {std::make_error_code(std::errc::not_supported), why};
}

}  // namespace

void check_libuv() {
  const bool same_major = uv_version() >> 16 == UV_VERSION_MAJOR;
  if (same_major && same_sizes()) return;
  const std::string compiled = std::to_string(UV_VERSION_MAJOR) + "." +
                               std::to_string(UV_VERSION_MINOR) + "." +
                               std::to_string(UV_VERSION_PATCH);
  throw not_supported("tine was compiled with libuv " + compiled + ", but the program runs libuv " +
                      uv_version_string() + (same_major ? ", whose structs have other sizes" : "") +
                      "; build both with the same one");
}

void check_libuv_is_shared() {
#ifdef TINE_LIBUV_HIDDEN
  throw not_supported(
      "this tine has a libuv of its own inside, so an application cannot share a loop with it; "
      "build "
      "tine as a static library, or with the system's libuv, or beside a CMake target uv");
#endif
}

}  // namespace tine::uv
