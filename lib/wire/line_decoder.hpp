#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "wire/byte_buffer.hpp"
#include "wire/recent_need.hpp"

namespace tine::wire {

// Cuts a byte stream into lines that end in '\n'.
//
// The stream arrives in pieces of any size; a line, even one UTF-8 character, may span several.
// Each byte is searched once. `padding` readable bytes follow each line.
class LineDecoder {
 public:
  // A peer that never sends '\n' must not make us buffer without bound.
  explicit LineDecoder(std::size_t max_line);

  // Where the next read may put its bytes, and how many of them it put there. At least as much as
  // asked for; never empty.
  std::span<char> room(std::size_t wanted = read_size);
  void advance(std::size_t n);

  // The next complete line, without its '\n'; nullopt if none is complete yet. Valid until room().
  std::optional<std::string_view> next();

  // The lines that next() will give, each with its '\n', as far as they fit in `most` bytes. Empty if
  // there is but one.
  std::string_view ahead(std::size_t most);

  // Takes back the line that next() gave last: it will give it again.
  void put_back();

  // Gives the memory back, if nothing is pending.
  void release_if_empty();

  // Whether next() has a line to give.
  bool has_line();

  // True once a line grew past max_line. Final: there is no telling where the next one begins.
  bool overflown() const { return overflown_; }

  // Bytes that came in and did not leave by next().
  std::size_t pending() const { return bytes_.size() - begin_; }
  // Those of them behind the last '\n'.
  std::size_t unfinished() const;

  static constexpr std::size_t read_size = std::size_t{64} << 10;

 private:
  void find_line_end();
  void make_space(std::size_t wanted);

  ByteBuffer bytes_;
  std::size_t max_line_;
  std::size_t begin_ = 0;                // of the next line
  std::size_t last_begin_ = 0;           // of the line before it
  std::size_t scanned_ = 0;              // up to here, from begin_ on, there is no '\n'
  std::optional<std::size_t> line_end_;  // the '\n' of the next line
  std::size_t most_pending_ = 0;         // since nothing was
  RecentNeed need_;
  bool overflown_ = false;
};

}  // namespace tine::wire
