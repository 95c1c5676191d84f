#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tine::command {

// A buffer that cuts a stream of bytes into lines. The last line need not end in a line feed.
class LineSplitter {
 public:
  void add(std::string_view bytes);
  // Ends the stream: the bytes that are left, if any, become the last line.
  void end();

  // Returns the next line, without its line feed and a carriage return before it; nullopt if no
  // line is complete. Valid until add() or end().
  std::optional<std::string_view> next();

  // Returns the one-based number of the line that next() returned last.
  std::size_t number() const { return number_; }
  // Returns how many bytes next() has not returned yet.
  std::size_t pending() const { return bytes_.size() - begin_; }

 private:
  std::string bytes_;
  std::size_t begin_ = 0;
  std::size_t searched_ = 0;  // there is no line feed between begin_ and here
  std::size_t number_ = 0;
};

// Returns the one-based column, in characters, of a byte of a line.
std::size_t column_of(std::string_view line, std::size_t offset);

}  // namespace tine::command
