#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

namespace tine::command {

// How long a child has been silent, and whether it can be expected to say any more.
class Silence {
 public:
  // `linger` is how long a child must be silent. Without it, that depends on whether each message
  // had an answer.
  explicit Silence(std::optional<std::chrono::milliseconds> linger) : linger_(linger) {}

  void message_sent() { ++sent_; }
  void message_refused() { --sent_; }
  void message_received();
  // Something else has happened for which the child may have waited: silence counts anew.
  void interrupt() { last_event_ = Clock::now(); }

  // Whether the child has been silent for so long that no more is expected.
  bool is_final() const;

 private:
  using Clock = std::chrono::steady_clock;

  std::optional<std::chrono::milliseconds> linger_;
  std::size_t sent_ = 0;
  std::size_t received_ = 0;
  Clock::time_point last_event_ = Clock::now();
};

}  // namespace tine::command
