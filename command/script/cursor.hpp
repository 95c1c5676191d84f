#pragma once

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

#include "command/shared/line_splitter.hpp"

namespace tine::command {

struct Position {
  std::size_t line = 1;
  std::size_t column = 1;  // counts characters
};

// An error in the text of a transcript, with its position.
class TranscriptError : public std::runtime_error {
 public:
  TranscriptError(Position where, const std::string& reason)
      : std::runtime_error(reason), position(where) {}

  Position position;
};

// A position that moves through a text, up to an end that may be before the text's end.
class Cursor {
 public:
  Cursor(std::string_view text, std::size_t begin, std::size_t end)
      : text_(text), at_(begin), end_(end) {}

  bool at_end() const { return at_ == end_; }
  char peek() const { return at_end() ? '\0' : text_[at_]; }
  bool starts_with(std::string_view word) const { return rest().starts_with(word); }
  std::size_t offset() const { return at_; }
  std::string_view rest() const { return text_.substr(at_, end_ - at_); }
  std::string_view since(std::size_t begin) const { return text_.substr(begin, at_ - begin); }

  void skip(std::size_t n = 1) { at_ = std::min(at_ + n, end_); }
  void skip_blanks() {
    while (!at_end() && std::string_view(" \t\r\n").find(peek()) != std::string_view::npos) skip();
  }
  bool skip_if(std::string_view word) {
    if (!starts_with(word)) return false;
    skip(word.size());
    return true;
  }
  template <class F>
  std::string_view take_while(F&& belongs) {
    const std::size_t begin = at_;
    while (!at_end() && belongs(peek())) skip();
    return since(begin);
  }

  Position position(std::size_t offset) const {
    const std::string_view before = text_.substr(0, offset);
    const auto feeds = std::count(before.begin(), before.end(), '\n');
    const std::size_t line_begin = before.rfind('\n') + 1;  // npos + 1 is 0
    return {static_cast<std::size_t>(feeds) + 1,
            column_of(text_.substr(line_begin), offset - line_begin)};
  }
  [[noreturn]] void fail(const std::string& reason) const { fail_at(at_, reason); }
  [[noreturn]] void fail_at(std::size_t offset, const std::string& reason) const {
    throw TranscriptError(position(offset), reason);
  }

 private:
  std::string_view text_;
  std::size_t at_;
  std::size_t end_;
};

}  // namespace tine::command
