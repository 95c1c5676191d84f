// What a child is told by its arguments. Apart from work.hpp, to keep the children small.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <string_view>

namespace bench {

// How long tine looks for a message before it blocks, where it is asked to.
inline constexpr int spin_us = 50;

// The clock that all processes of a machine share: CLOCK_MONOTONIC.
inline double now_us() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::micro>(now).count();
}

// "echo": answer each message with itself. "count N": answer the greeting, and then the last of N
// messages. "work N": compute for N microseconds on each message, and answer with now_us().
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

  // Whether the message that came in now is to be answered.
  bool heard() {
    if (until_answer_ == 0) return true;
    const std::size_t before = heard_++;
    return before == 0 || before == until_answer_;
  }

 private:
  std::size_t until_answer_ = 0;
  std::size_t heard_ = 0;
  double work_us_ = 0;
};

}  // namespace bench
