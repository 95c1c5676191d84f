#pragma once

#include "pool/limits.hpp"
#include "tine/pool.hpp"

namespace tine::pool {

// Returns the options as the scheduler takes them. Throws Error for options that make no sense.
Limits limits_of(const PoolOptions& options);

}  // namespace tine::pool
