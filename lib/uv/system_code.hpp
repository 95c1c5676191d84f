#pragma once

#include <system_error>

namespace tine::uv {

// Of an errno.
inline std::error_code system_code(int error) { return {error, std::generic_category()}; }

}  // namespace tine::uv
