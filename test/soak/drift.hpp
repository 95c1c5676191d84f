// A record of how the memory of this process changes over time.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

class Drift {
 public:
  // Takes a sample. Must be called when the memory in use should be as in the beginning.
  void sample();

  // Returns whether memory, after the first third of the samples, grew by less than the noise, and
  // by less than 1 MiB an hour if the rest spans half an hour or more. Always true with a
  // sanitizer, because its memory use means nothing.
  bool within_bounds() const;
  std::string text() const;

 private:
  struct Sample {
    double hours;
    double mebibytes;
  };
  std::vector<Sample> steady() const;
  double growth() const;
  double per_hour() const;

  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::vector<Sample> samples_;
};
