#include "soak/drift.hpp"

#include <array>
#include <cstdio>
#include <fstream>

#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "support/invariants.hpp"

namespace {

double resident() {
  std::size_t all = 0;
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> all >> pages;
  return static_cast<double>(pages) * static_cast<double>(sysconf(_SC_PAGESIZE)) / mebibyte;
}

}  // namespace

// Gives free memory back to the system first, because memory that the allocator keeps is not
// growth.
void Drift::sample() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
  const std::chrono::duration<double, std::ratio<3600>> hours =
      std::chrono::steady_clock::now() - start_;
  samples_.push_back({hours.count(), resident()});
}

std::vector<Drift::Sample> Drift::steady() const {
  const auto warm = static_cast<std::ptrdiff_t>(samples_.size() / 3);
  return {samples_.begin() + warm, samples_.end()};
}

// Returns the difference between the means of the first and the last quarter.
double Drift::growth() const {
  const auto samples = steady();
  const std::size_t quarter = samples.size() / 4;
  if (quarter == 0) return 0;
  double sum = 0;
  for (std::size_t i = 0; i < quarter; ++i) {
    sum += samples[samples.size() - 1 - i].mebibytes - samples[i].mebibytes;
  }
  return sum / static_cast<double>(quarter);
}

// Returns the slope of the best-fitting line.
double Drift::per_hour() const {
  const auto samples = steady();
  const auto n = static_cast<double>(samples.size());
  double hours = 0;
  double mebibytes = 0;
  for (const Sample& each : samples) {
    hours += each.hours / n;
    mebibytes += each.mebibytes / n;
  }
  double covariance = 0;
  double variance = 0;
  for (const Sample& each : samples) {
    covariance += (each.hours - hours) * (each.mebibytes - mebibytes);
    variance += (each.hours - hours) * (each.hours - hours);
  }
  return variance > 0 ? covariance / variance : 0;
}

bool Drift::within_bounds() const {
  constexpr double noise = 8;
  constexpr double long_enough = 0.5;
  if (sanitized || samples_.empty()) return true;
  const auto samples = steady();
  const bool is_long = samples.back().hours - samples.front().hours >= long_enough;
  return growth() < noise && (!is_long || per_hour() < 1);
}

std::string Drift::text() const {
  if (sanitized || samples_.empty()) return "memory not measured";
  std::array<char, 100> text{};
  std::snprintf(text.data(), text.size(), "memory %.1f MiB, drift %+.2f MiB (%+.2f MiB/h)",
                samples_.back().mebibytes, growth(), per_hour());
  return text.data();
}
