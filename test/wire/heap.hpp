#pragma once

#include <cstddef>

// Counts the blocks that operator new returns, in the whole program.
namespace heap {

// Returns the number of blocks allocated so far.
std::size_t allocations();

// Returns the number of bytes allocated and not yet freed.
std::size_t live_bytes();

}  // namespace heap
