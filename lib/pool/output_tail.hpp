#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tine::pool {

// The last lines of what a program has written.
class OutputTail {
 public:
  void add(std::string_view bytes);

  // Returns the last lines, without the line feed of the last one. A line that is longer than what is
  // kept has lost its beginning.
  std::string_view lines() const;

 private:
  static constexpr std::size_t most_bytes = 2048;
  static constexpr std::size_t most_lines = 10;

  std::string kept_;
  bool cut_ = false;  // whether something was dropped before
};

}  // namespace tine::pool
