#pragma once

#include <cstddef>

// What operator new has given so far, in the whole program.
namespace heap {

std::size_t allocations();

// Bytes that were not deleted yet.
std::size_t live_bytes();

}  // namespace heap
