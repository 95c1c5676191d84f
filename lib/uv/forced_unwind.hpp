#pragma once

#include <cstddef>  // says which standard library this is

#if defined(__GLIBCXX__) && defined(__GLIBC__)
#include <cxxabi.h>
#endif

namespace tine::uv {

// What runs through the frames of a thread that ends, by pthread_exit() or pthread_cancel(). Whoever
// catches it has to throw it again: else the C library ends the program.
#if defined(__GLIBCXX__) && defined(__GLIBC__)
using ForcedUnwind = abi::__forced_unwind;
#else
struct ForcedUnwind {};  // elsewhere nothing of the kind is thrown
#endif

}  // namespace tine::uv
