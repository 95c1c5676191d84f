#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "tine/heartbeat.hpp"

namespace tine::supervision {

// Judges from looks at a child, one each interval(), whether it hangs. It knows neither processes nor
// clocks: time is the number of looks, so time without looks does not count.
class Silence {
 public:
  enum class Verdict { fine, ask, hung };

  explicit Silence(const Heartbeat& heartbeat);

  std::chrono::milliseconds interval() const { return interval_; }

  // `came_in` is the number of bytes that have come from the child. `cpu_time()` returns the CPU time
  // that it has used, nullopt if that is unknown; it is only called when the child was asked.
  template <class F>
  Verdict look(std::uint64_t came_in, F&& cpu_time) {
    if (came_in != came_in_) return heard(came_in);
    silent_for_ += interval_;
    if (asked_) return wait_on(heartbeat_.busy ? cpu_time() : std::nullopt);
    if (silent_for_ < heartbeat_.every) return Verdict::fine;
    return ask(heartbeat_.busy ? cpu_time() : std::nullopt);
  }

  // Begins anew, because nothing can come from the child.
  void forget() { asked_ = false, silent_for_ = {}; }

 private:
  using CpuTime = std::optional<std::chrono::nanoseconds>;

  Verdict heard(std::uint64_t came_in);
  Verdict ask(CpuTime used);
  Verdict wait_on(CpuTime used);
  bool was_busy(CpuTime used) const;

  Heartbeat heartbeat_;
  std::chrono::milliseconds interval_;
  std::uint64_t came_in_ = 0;
  std::chrono::milliseconds silent_for_{0};  // since it was heard, or was asked, or was busy
  bool asked_ = false;
  CpuTime used_;
};

}  // namespace tine::supervision
