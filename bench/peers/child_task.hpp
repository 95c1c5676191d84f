// The task that a child gets in its arguments. It is not in work.hpp, to keep the children small.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <string_view>

namespace bench {

// How long the spinning tine peers look for a message before they block.
inline constexpr int spin_us = 50;

// Reads the clock that all processes of a machine share: CLOCK_MONOTONIC.
inline double now_us() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::micro>(now).count();
}

// The task of a child. "echo": it answers each message with itself. "count N": it answers the
// greeting, and then the last of N messages. "work N": it computes for N microseconds on each
// message, and answers with now_us().
class ChildTask {
 public:
  ChildTask(int argc, char** argv) {
    if (argc <= 2) return;
    const std::string_view task = argv[1];
    const auto number = std::strtoul(argv[2], nullptr, 10);
    if (task == "count") until_answer_ = number;
    if (task == "work") work_us_ = static_cast<double>(number);
  }

  bool works() const { return work_us_ > 0; }
  void work() const {
    for (const double began = now_us(); now_us() - began < work_us_;) continue;
  }

  // Counts the message that came in. Returns whether the child must answer it.
  bool received() {
    if (until_answer_ == 0) return true;
    const std::size_t before = received_++;
    return before == 0 || before == until_answer_;
  }

 private:
  std::size_t until_answer_ = 0;
  std::size_t received_ = 0;
  double work_us_ = 0;
};

}  // namespace bench
