#include "command/run/silence.hpp"

namespace tine::command {

void Silence::message_received() {
  ++received_;
  interrupt();
}

bool Silence::is_final() const {
  using std::chrono::milliseconds;
  constexpr milliseconds when_all_answered{100};
  constexpr milliseconds when_not{5000};
  const bool answered = received_ > 0 && received_ >= sent_;
  const auto silent = std::chrono::duration_cast<milliseconds>(Clock::now() - last_event_);
  return silent >= linger_.value_or(answered ? when_all_answered : when_not);
}

}  // namespace tine::command
