#pragma once

#pragma GCC visibility push(default)

namespace tine {

// The version of these headers; the build takes the library's from here.
inline constexpr const char* version = "0.1.0";

}  // namespace tine

#pragma GCC visibility pop
