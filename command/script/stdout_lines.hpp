#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>

#include "command/shared/line_splitter.hpp"

namespace tine::command {

// The lines of a child's stdout that no step has taken yet. If no step takes any, only the last
// ones are kept.
class StdoutLines {
 public:
  void add(std::string_view bytes);
  void end();

  bool empty() const { return lines_.empty(); }
  // Whether no line will be added any more.
  bool ended() const { return ended_; }
  // Removes and returns the first line. There must be one.
  std::string take();

 private:
  static constexpr std::size_t most = 1000;

  void split();

  LineSplitter splitter_;
  std::deque<std::string> lines_;
  bool ended_ = false;
};

}  // namespace tine::command
