#pragma once

// The exit statuses of `tine` besides the child's own. sysexits.h and shells use the same numbers.
namespace tine::command::status {

inline constexpr int ok = 0;
inline constexpr int failed = 1;
inline constexpr int unreadable = 2;  // a transcript, a trace or the command line
inline constexpr int bad_data = 65;
inline constexpr int no_answer = 69;
inline constexpr int io_error = 74;
inline constexpr int timed_out = 124;  // as timeout(1)
inline constexpr int not_executable = 126;
inline constexpr int not_found = 127;
inline constexpr int closed_output = 141;

}  // namespace tine::command::status
