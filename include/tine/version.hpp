#pragma once

namespace tine {

// The version of these headers. The build takes the library's version from here.
inline constexpr const char* version = "0.1.0";

}  // namespace tine
