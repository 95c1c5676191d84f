#pragma once

namespace tine::uv {

// Ends the program with a sentence on stderr that says what a program must not do. For errors that
// cannot be exceptions: they occur in a destructor, or in another thread than the one they would
// break.
[[noreturn]] void misuse(const char* sentence) noexcept;

}  // namespace tine::uv
