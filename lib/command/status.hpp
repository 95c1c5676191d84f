#pragma once

// What `tine` exits with when it is not the child's own status. sysexits.h and shells have the same.
namespace tine::command::status {

inline constexpr int ok = 0;
inline constexpr int failed = 1;
inline constexpr int unreadable = 2;  // a transcript or trace; the command line
inline constexpr int bad_data = 65;
inline constexpr int io_error = 74;
inline constexpr int not_executable = 126;
inline constexpr int not_found = 127;
inline constexpr int closed_output = 141;

}  // namespace tine::command::status
