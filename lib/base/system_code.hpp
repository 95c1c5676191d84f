#pragma once

#include <system_error>

namespace tine::base {

// Returns the error code of an errno.
inline std::error_code system_code(int error) { return {error, std::generic_category()}; }

}  // namespace tine::base
