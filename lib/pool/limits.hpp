#pragma once

#include <chrono>
#include <cstddef>
#include <functional>

namespace tine::pool {

// The options of a pool as plain numbers. See PoolOptions for what they mean.
struct Limits {
  std::size_t min = 0;
  std::size_t max = 1;          // at least 1
  std::size_t concurrency = 1;  // at least 1
  std::chrono::milliseconds idle_timeout = std::chrono::seconds(30);

  std::size_t queue_limit = 10'000;
  bool drop_oldest = false;

  unsigned start_attempts = 5;  // at least 1
  // Returns how long to wait before the next start, after this many failures in a row.
  std::function<std::chrono::milliseconds(unsigned)> backoff = [](unsigned) {
    return std::chrono::milliseconds(100);
  };

  // 0: never.
  std::size_t recycle_tasks = 0;
  std::size_t recycle_memory = 0;
  std::chrono::milliseconds recycle_age = {};
  double recycle_jitter = 0;

  std::chrono::milliseconds cancel_grace = std::chrono::seconds(1);

  // Returns a number in [0, 1).
  std::function<double()> random = [] { return 0.0; };
};

}  // namespace tine::pool
