#include "rpc/alarm.hpp"

#include <algorithm>
#include <chrono>
#include <new>

namespace tine::rpc {

void Alarm::set(uv::LoopCore& core, Clock::time_point deadline) {
  if (timer_ && deadline >= set_to_) return;
  if (deadline == no_deadline) return;
  if (!timer_) {
    timer_.emplace(core, [this, &core] {
      set_to_ = no_deadline;
      try {
        due_();
      } catch (const std::bad_alloc&) {
        set(core, Clock::now());  // tries again
        throw;
      }
    });
    timer_->set_ref(false);
  }
  const auto left = std::max(deadline - Clock::now(), Clock::duration::zero());
  timer_->start(std::chrono::ceil<std::chrono::milliseconds>(left));
  set_to_ = deadline;
}

}  // namespace tine::rpc
