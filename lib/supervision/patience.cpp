#include "supervision/patience.hpp"

#include <algorithm>
#include <utility>

namespace tine::supervision {

std::chrono::milliseconds Patience::slice_of(std::chrono::milliseconds time) {
  constexpr int slices = 8;
  return std::max(time / slices, std::chrono::milliseconds(1));
}

Patience::Patience(uv::LoopCore& core, std::function<void()> over)
    : over_(std::move(over)), timer_(core, [this] { slice_over(); }) {
  timer_.set_ref(false);
}

void Patience::start(std::chrono::milliseconds time) {
  slice_ = slice_of(time);
  left_ = time;
  timer_.start(std::min(slice_, left_));
}

// The function may destroy this object.
void Patience::slice_over() {
  left_ -= slice_;
  if (left_ > std::chrono::milliseconds(0)) return timer_.start(std::min(slice_, left_));
  const auto over = over_;
  over();
}

}  // namespace tine::supervision
