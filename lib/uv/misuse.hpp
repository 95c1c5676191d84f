#pragma once

namespace tine::uv {

// Ends the program with a sentence on stderr that says what a program must not do. For what cannot be an
// exception: it happens in a destructor, or in another thread than what it would break.
[[noreturn]] void misuse(const char* sentence) noexcept;

}  // namespace tine::uv
