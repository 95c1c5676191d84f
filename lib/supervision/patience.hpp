#pragma once

#include <chrono>
#include <functional>

#include "uv/loop_core.hpp"
#include "uv/timer.hpp"

namespace tine::supervision {

// A deadline in the time in which this process turns its loop. When the process is stopped or busy for
// long, that counts as one short slice of the time only: what it waits for had no fair chance.
//
// Its function may not run user code. It does not keep the loop running.
class Patience {
 public:
  Patience(uv::LoopCore& core, std::function<void()> over);

  // Starts, or starts anew.
  void start(std::chrono::milliseconds time);

  // Returns the slice of a deadline that counts at most once when the process does not turn.
  static std::chrono::milliseconds slice_of(std::chrono::milliseconds time);

 private:
  void slice_over();

  std::function<void()> over_;
  std::chrono::milliseconds slice_{1};
  std::chrono::milliseconds left_{0};
  uv::RawTimer timer_;
};

}  // namespace tine::supervision
