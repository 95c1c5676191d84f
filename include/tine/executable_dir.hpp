#pragma once

#include <filesystem>

#pragma GCC visibility push(default)

namespace tine {

// The directory of the running program's file: fork(loop, executable_dir() / "child").
//
// Throws std::filesystem::filesystem_error if the system cannot tell. macOS: the path as it was
// given to exec, with symbolic links resolved.
//
// Node: __dirname of the main module.
std::filesystem::path executable_dir();

}  // namespace tine

#pragma GCC visibility pop
