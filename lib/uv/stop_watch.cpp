#include "uv/stop_watch.hpp"

#include <utility>

namespace tine::uv {

// An owner that is being destroyed needs no stop.
void StopWatch::Post::operator()() const noexcept {
  if (auto keep = watch->owner_.lock()) watch->core_.post(watch->task_, std::move(keep));
}

}  // namespace tine::uv
