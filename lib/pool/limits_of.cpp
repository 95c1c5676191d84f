#include "pool/limits_of.hpp"

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <thread>

#include "supervision/failures.hpp"
#include "tine/error.hpp"

namespace tine::pool {

namespace {

void require(bool holds, const std::string& what) {
  if (!holds) throw Error(Errc::out_of_range, "PoolOptions: " + what);
}

void check(const PoolOptions& options, std::size_t max) {
  require(options.min <= max, "min is more than max, which is " + std::to_string(max));
  require(options.concurrency > 0, "concurrency is 0");
  require(options.start_attempts > 0, "start_attempts is 0");
  require(options.recycle.jitter >= 0 && options.recycle.jitter <= 1,
          "recycle.jitter is not from 0 to 1");
}

}  // namespace

Limits limits_of(const PoolOptions& options) {
  Limits limits;
  limits.min = options.min;
  limits.max = options.max != 0 ? options.max : std::max(std::thread::hardware_concurrency(), 1u);
  check(options, limits.max);
  limits.concurrency = options.concurrency;
  limits.idle_timeout = options.idle_timeout;
  limits.queue_limit = options.queue_limit;
  limits.drop_oldest = options.when_full == PoolOptions::Full::drop_oldest;
  limits.start_attempts = options.start_attempts;
  limits.recycle_tasks = options.recycle.tasks;
  limits.recycle_memory = options.recycle.memory;
  limits.recycle_age = options.recycle.age;
  limits.recycle_jitter = options.recycle.jitter;
  limits.cancel_grace = options.cancel_grace;
  limits.random = [engine = std::make_shared<std::minstd_rand>(std::random_device{}())] {
    return std::uniform_real_distribution<>()(*engine);
  };
  limits.backoff = [backoff = options.backoff, random = limits.random](unsigned failures) {
    return supervision::delay_after_failure(backoff, failures - 1, random());
  };
  return limits;
}

}  // namespace tine::pool
