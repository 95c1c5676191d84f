#pragma once

#include <cstddef>

// Counts the blocks that operator new returns, in the whole program, and makes it fail.
namespace heap {

// Returns the number of blocks allocated so far.
std::size_t allocations();

// Returns the number of bytes allocated and not yet freed.
std::size_t live_bytes();

// Makes one allocation fail: the one after `count` more. -1: none.
void fail_after(int count);

}  // namespace heap
