#pragma once

#include "spawn/subprocess.hpp"

namespace tine::spawn {

// Sends a signal to a program and all its descendants that can be found. All are stopped first, so
// that none of them starts another, or frees a pid for reuse by waiting for a child. Returns false
// if the program is gone.
//
// Without /proc, only the program itself is signalled.
bool kill_descendants(Subprocess& root, int signal);

}  // namespace tine::spawn
