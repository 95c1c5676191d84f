#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tine::command {

// Cuts a stream of bytes into lines. The last one need not have a line feed.
class LineSplitter {
 public:
  void add(std::string_view bytes);
  // No more will come: what is left is a line.
  void end();

  // The next line, without its line feed and a carriage return before it. Valid until add().
  std::optional<std::string_view> next();

  // Of the line that next() gave last, from 1 on.
  std::size_t number() const { return number_; }
  // Bytes of lines that next() has not given.
  std::size_t pending() const { return bytes_.size() - begin_; }

 private:
  std::string bytes_;
  std::size_t begin_ = 0;
  std::size_t searched_ = 0;  // up to here, from begin_ on, there is no line feed
  std::size_t number_ = 0;
};

// The column, in characters from 1 on, of a byte of a line.
std::size_t column_of(std::string_view line, std::size_t offset);

}  // namespace tine::command
