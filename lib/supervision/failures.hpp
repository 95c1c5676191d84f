#pragma once

#include <chrono>

#include "tine/backoff.hpp"

namespace tine::supervision {

// Returns how long to wait before a child is started again that has failed, after so many `earlier`
// failures in a row. `random` is at least 0 and less than 1.
std::chrono::milliseconds delay_after_failure(const Backoff& backoff, unsigned earlier,
                                              double random);

// The failures of one child in a row, and how long to wait after each. It knows no clock and no random
// numbers; the caller supplies both.
class Failures {
 public:
  explicit Failures(const Backoff& backoff) : backoff_(backoff) {}

  // Counts one more failure. Returns how long to wait before the next start. `random` is at least 0 and
  // less than 1.
  std::chrono::milliseconds count(double random);

  // Forgets the failures if the child has been ready for long enough.
  void was_ready_for(std::chrono::milliseconds time);
  void forget() { in_a_row_ = 0; }

  unsigned in_a_row() const { return in_a_row_; }

 private:
  Backoff backoff_;
  unsigned in_a_row_ = 0;
};

}  // namespace tine::supervision
