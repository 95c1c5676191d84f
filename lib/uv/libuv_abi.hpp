#pragma once

namespace tine::uv {

// Throws Error if the libuv in use does not match the one that tine was compiled with. An application
// that has another copy of libuv may have put that copy in the place of ours.
void check_libuv();

// Throws Error if an application cannot call the libuv that tine uses, and so cannot share a loop.
void check_libuv_is_shared();

}  // namespace tine::uv
