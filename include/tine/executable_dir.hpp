#pragma once

#include <filesystem>

#include "tine/detail/export.hpp"

namespace tine {

// Returns the directory of the running program's file: fork(loop, executable_dir() / "child").
//
// The path is looked up when the program starts. If the file or the directory is replaced, renamed
// or removed later, as by an update, the path stays the same: fork() starts what is there now, or
// fails. The same is true of a Cluster's workers that run the primary's own program.
//
// Throws std::filesystem::filesystem_error if the system cannot tell. macOS: the path as it was
// given to exec, with symbolic links resolved.
//
// Node: __dirname of the main module.
TINE_EXPORT std::filesystem::path executable_dir();

}  // namespace tine
