#pragma once

#include <algorithm>
#include <chrono>

namespace tine::uv {

// The time to poll for the next event before blocking for it.
//
// It is as long as allowed while events come about that close to each other. When they do not, it
// is halved each time.
class Spin {
 public:
  using Clock = std::chrono::steady_clock;

  Spin() = default;
  explicit Spin(Clock::duration longest) : longest_(longest), now_(longest) {}

  bool on() const { return longest_ > Clock::duration::zero(); }

  // Returns whether to poll once more when nothing has happened yet.
  bool goes_on() const { return Clock::now() - last_event_ < now_; }

  void happened() {
    constexpr int wake_up = 2;  // being woken takes about as long as polling is worthwhile
    constexpr int least_part = 64;
    const auto now = Clock::now();
    const bool close = now - last_event_ < wake_up * longest_;
    now_ = close ? longest_ : std::max(now_ / 2, longest_ / least_part);
    last_event_ = now;
  }

 private:
  Clock::duration longest_{};
  Clock::duration now_{};
  Clock::time_point last_event_ = Clock::now();
};

}  // namespace tine::uv
