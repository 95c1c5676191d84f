#include "supervision/silence.hpp"

#include <algorithm>

#include "supervision/patience.hpp"

namespace tine::supervision {

Silence::Silence(const Heartbeat& heartbeat)
    : heartbeat_(heartbeat),
      interval_(std::clamp(heartbeat.every, std::chrono::milliseconds(1),
                           Patience::slice_of(heartbeat.deadline))) {}

Silence::Verdict Silence::heard(std::uint64_t came_in) {
  came_in_ = came_in;
  forget();
  return Verdict::fine;
}

Silence::Verdict Silence::ask(CpuTime used) {
  asked_ = true;
  silent_for_ = {};
  used_ = used;
  return Verdict::ask;
}

Silence::Verdict Silence::wait_on(CpuTime used) {
  if (was_busy(used)) silent_for_ = {};
  used_ = used;
  return silent_for_ < heartbeat_.deadline ? Verdict::fine : Verdict::hung;
}

// A child whose main thread waits for ever may have others that wake up now and then. One that works
// on a busy machine may get little of it.
bool Silence::was_busy(CpuTime used) const {
  constexpr int part = 1000;
  return used && used_ && *used - *used_ > std::chrono::nanoseconds(interval_) / part;
}

}  // namespace tine::supervision
