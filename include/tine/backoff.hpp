// How long to wait before a child is started again.
#pragma once

#include <chrono>

namespace tine {

// The delays before a child that has failed is started again: `first` after the first failure, and
// after each further one `factor` times as long, up to `most`. Each delay is shortened by a random part
// of it, so that children that failed together are not all started at the same moment.
//
// With the defaults, the delays of five failures in a row take 1.5 to 3.1 s together, and each one after
// that at least 1.6 s. A `first` of zero means no delay at all, however often the child fails.
struct Backoff {
  std::chrono::milliseconds first = std::chrono::milliseconds(100);
  double factor = 2;
  std::chrono::milliseconds most = std::chrono::seconds(30);

  // The largest part of a delay that is left out, from 0 to 1.
  double jitter = 0.5;

  // A child that has been ready for this long has recovered: its failures are counted anew.
  std::chrono::milliseconds forget = std::chrono::minutes(1);
};

}  // namespace tine
