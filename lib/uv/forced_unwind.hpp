#pragma once

#include <cstddef>  // defines macros that name the standard library

#if defined(__GLIBCXX__) && defined(__GLIBC__)
#include <cxxabi.h>
#endif

namespace tine::uv {

// The exception that unwinds a thread that ends by pthread_exit() or pthread_cancel(). Code that
// catches it must rethrow it, or the C library ends the program.
#if defined(__GLIBCXX__) && defined(__GLIBC__)
using ForcedUnwind = abi::__forced_unwind;
#else
struct ForcedUnwind {};  // never thrown elsewhere
#endif

}  // namespace tine::uv
