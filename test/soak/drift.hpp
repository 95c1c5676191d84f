// How the memory of this process changes over time.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

class Drift {
 public:
  // To be called when the memory in use is that of the beginning.
  void sample();

  // Growth, after the first third, is not more than noise; over half an hour or longer it is less
  // than 1 MiB an hour. With a sanitizer, memory tells nothing.
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
