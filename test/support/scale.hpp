// The length of the tests that can be long.
#pragma once

#include <cstdlib>

// Returns a count from `least` to `full`. The environment variable TINE_TEST_SCALE chooses it, from
// 1 (`least`, the default) to 10 (`full`).
inline int scaled(int least, int full) {
  const char* const variable = std::getenv("TINE_TEST_SCALE");
  const int scale = variable != nullptr ? std::atoi(variable) : 1;
  if (scale <= 1) return least;
  if (scale >= 10) return full;
  return least + static_cast<int>(static_cast<long long>(full - least) * (scale - 1) / 9);
}
