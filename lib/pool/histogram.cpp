#include "pool/histogram.hpp"

#include <algorithm>
#include <cmath>

namespace tine::pool {

std::size_t Histogram::bucket_of(std::uint64_t microseconds) {
  std::size_t decade = 0;
  for (; microseconds >= exact && decade < decades; ++decade) microseconds /= 10;
  if (decade == 0) return microseconds;
  const std::uint64_t first_digits = std::min<std::uint64_t>(microseconds, exact - 1);
  return exact + (decade - 1) * per_decade + first_digits - 10;
}

std::uint64_t Histogram::longest_in(std::size_t bucket) {
  if (bucket < exact) return bucket;
  const std::size_t decade = (bucket - exact) / per_decade + 1;
  std::uint64_t next = 10 + (bucket - exact) % per_decade + 1;
  for (std::size_t i = 0; i < decade; ++i) next *= 10;
  return next - 1;
}

void Histogram::add(std::chrono::microseconds duration) {
  const auto length = static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0));
  ++buckets_[bucket_of(length)];
  ++count_;
  sum_ += std::chrono::microseconds(length);
}

std::chrono::microseconds Histogram::percentile(double part) const {
  const auto wanted = static_cast<std::uint64_t>(std::ceil(static_cast<double>(count_) * part));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
    seen += buckets_[bucket];
    if (buckets_[bucket] > 0 && seen >= wanted)
      return std::chrono::microseconds(longest_in(bucket));
  }
  return std::chrono::microseconds(0);
}

std::uint64_t Histogram::count_up_to(std::chrono::microseconds duration) const {
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
    if (longest_in(bucket) > static_cast<std::uint64_t>(duration.count())) break;
    seen += buckets_[bucket];
  }
  return seen;
}

}  // namespace tine::pool
