#pragma once

#include <string_view>

namespace tine::pool {

// Writes what a worker has written to its stderr to that of this program, as if the worker had it. What
// cannot be written is dropped. Waits if a pipe there is full, as a worker would.
void pass_on_to_stderr(std::string_view bytes) noexcept;

}  // namespace tine::pool
