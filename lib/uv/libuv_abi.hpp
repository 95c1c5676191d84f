#pragma once

namespace tine::uv {

// Throws if the libuv that runs is not like the one that tine was compiled with: an application that has
// another copy of it may have put that one in the place of ours.
void check_libuv();

// Throws if an application cannot call the libuv that tine uses, so cannot share a loop with tine.
void check_libuv_is_shared();

}  // namespace tine::uv
