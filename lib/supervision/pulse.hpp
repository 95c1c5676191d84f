#pragma once

#include <functional>

#include "supervision/silence.hpp"
#include "tine/child_process.hpp"
#include "tine/heartbeat.hpp"
#include "uv/loop_core.hpp"
#include "uv/timer.hpp"

namespace tine::supervision {

// The heartbeat of one child: looks at it now and then, asks it if it is silent, and calls a function
// once if it hangs. Ends by itself when the channel does.
//
// The function may not run user code, and may destroy this object, which must be destroyed before the
// loop is gone. It does not keep the loop running.
class Pulse {
 public:
  Pulse(uv::LoopCore& core, const ChildProcess& child, const Heartbeat& heartbeat,
        std::function<void()> hung);

 private:
  void look();

  ChildProcess child_;
  Silence silence_;
  std::function<void()> hung_;
  uv::RawTimer timer_;
};

}  // namespace tine::supervision
