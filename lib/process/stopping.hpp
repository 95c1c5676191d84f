#pragma once

#include <cstddef>
#include <functional>

#include "tine/child_process.hpp"
#include "tine/stop.hpp"
#include "uv/loop_core.hpp"
#include "uv/timer.hpp"

namespace tine::process {

// The way to the end of one child: takes the steps one after the other, and at last kills the child.
// Runs no user code.
class Stopping {
 public:
  // `child` returns the handle of the child, which owns this object.
  Stopping(uv::LoopCore& core, std::function<ChildProcess()> child);

  // Begins, or begins anew, with these steps.
  void begin(StopOptions options);

 private:
  void go_on();

  std::function<ChildProcess()> child_;
  StopOptions options_;
  std::size_t next_ = 0;  // the step that is taken next
  uv::RawTimer wait_;
};

}  // namespace tine::process
