#pragma once

#include <string>
#include <string_view>

#include "pool/histogram.hpp"
#include "tine/pool.hpp"

namespace tine::pool {

// Returns the state of a pool as Prometheus text. `prefix` begins the name of each metric.
std::string metrics_text(std::string_view prefix, const PoolStats& stats, const Histogram& wait,
                         const Histogram& run);

}  // namespace tine::pool
