#pragma once

#include "uv/subprocess.hpp"

namespace tine::process {

// Sends a signal to a program and all its descendants that are to be found, after all are stopped:
// then none of them starts another, or makes room for somebody else's by waiting for one. False: the
// program is not there.
//
// Where there is no /proc, the program alone is sent it.
bool kill_descendants(uv::Subprocess& root, int signal);

}  // namespace tine::process
