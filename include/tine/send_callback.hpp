// The callback of everything that is sent or written.
#pragma once

#include <system_error>

#include "tine/callback.hpp"

namespace tine {

// Receives the result of sending a message or writing bytes: no error once the last byte was given
// to the kernel. The call that takes the callback lists the errors.
//
// Runs exactly once, on a later turn of the loop.
using SendCallback = Callback<void(std::error_code)>;

}  // namespace tine
