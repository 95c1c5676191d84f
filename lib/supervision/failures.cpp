#include "supervision/failures.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tine::supervision {

namespace {

// Returns the time as a delay: not negative, and not longer than a delay can be.
double bounded(std::chrono::milliseconds time) {
  constexpr std::chrono::milliseconds longest = std::chrono::hours(24 * 365);
  return static_cast<double>(std::clamp(time, std::chrono::milliseconds(0), longest).count());
}

// Returns a number that an option may have; NaN is 0.
double bounded(double number, double least, double most) {
  return std::isnan(number) ? least : std::clamp(number, least, most);
}

}  // namespace

// A power of the factor may be infinite, which is more than `most`; but no time at all stays none.
std::chrono::milliseconds delay_after_failure(const Backoff& backoff, unsigned earlier,
                                              double random) {
  const double factor = bounded(backoff.factor, 0, std::numeric_limits<double>::max());
  const double first = bounded(backoff.first);
  const double grown = first == 0 ? 0 : first * std::pow(factor, earlier);
  const double whole = std::min(grown, bounded(backoff.most));
  const double left_out = whole * bounded(backoff.jitter, 0, 1) * bounded(random, 0, 1);
  return std::chrono::milliseconds(std::llround(whole - left_out));
}

std::chrono::milliseconds Failures::count(double random) {
  const auto delay = delay_after_failure(backoff_, in_a_row_, random);
  if (in_a_row_ < std::numeric_limits<unsigned>::max()) ++in_a_row_;
  return delay;
}

void Failures::was_ready_for(std::chrono::milliseconds time) {
  if (time >= backoff_.forget) forget();
}

}  // namespace tine::supervision
