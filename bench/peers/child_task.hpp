// What a child is told by its arguments. Apart from work.hpp, to keep the children small.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <string_view>

namespace bench {

// "echo": answer each message with itself. "count N": answer the greeting, and then the last of N
// messages.
// How long tine looks for a message before it blocks, where it is asked to.
inline constexpr int spin_us = 50;

class ChildTask {
 public:
  ChildTask(int argc, char** argv) {
    if (argc > 2 && std::string_view(argv[1]) == "count")
      until_answer_ = std::strtoul(argv[2], nullptr, 10);
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
};

}  // namespace bench
