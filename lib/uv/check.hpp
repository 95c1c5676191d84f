#pragma once

#include "base/system_code.hpp"
#include "tine/error.hpp"

namespace tine::uv {

// Throws Error if the result of a libuv function is a negated errno.
inline void check(int result, const char* what) {
  if (result < 0) throw Error(base::system_code(-result), what);
}

}  // namespace tine::uv
