#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "base/byte_buffer.hpp"
#include "base/recent_need.hpp"

namespace tine::wire {

// A decoder that cuts a byte stream into lines that end in '\n'.
//
// The stream arrives in pieces of any size; a line, even one UTF-8 character, may span several.
// Each byte is searched once. `padding` readable bytes follow each line.
class LineDecoder {
 public:
  // max_line is the longest line accepted: a peer that never sends '\n' must not make us buffer
  // without bound.
  explicit LineDecoder(std::size_t max_line);

  // room() returns where the next read puts its bytes: at least `wanted` bytes, never empty.
  // advance() takes over the n bytes that were read to it.
  std::span<char> room(std::size_t wanted = read_size);
  void advance(std::size_t n);

  // Returns the next complete line without its '\n', or nullopt if none is complete yet. The line
  // is valid until room().
  std::optional<std::string_view> next();

  // Returns the lines that next() will return, each with its '\n', as many as fit in `most` bytes.
  // Empty if these are fewer than two.
  std::string_view ahead(std::size_t most);

  // Takes back the line that next() returned last; next() will return it again.
  void put_back();

  // Frees the memory if no bytes are pending.
  void release_if_empty();

  // Returns whether next() has a line to return.
  bool has_line();

  // Returns whether a line has grown past max_line. This is final: the decoder cannot know where
  // the next line begins.
  bool overflown() const { return overflown_; }

  // Returns how many bytes came in and have not left through next().
  std::size_t pending() const { return bytes_.size() - begin_; }
  // Returns how many of the pending bytes are behind the last '\n'.
  std::size_t unfinished() const;

  static constexpr std::size_t read_size = std::size_t{64} << 10;

 private:
  void find_line_end();
  void make_space(std::size_t wanted);

  base::ByteBuffer bytes_;
  std::size_t max_line_;
  std::size_t begin_ = 0;                // start of the next line
  std::size_t last_begin_ = 0;           // start of the line before it
  std::size_t scanned_ = 0;              // there is no '\n' from begin_ up to here
  std::optional<std::size_t> line_end_;  // position of the '\n' of the next line
  std::size_t most_pending_ = 0;         // maximum of pending() since it was last 0
  base::RecentNeed need_;
  bool overflown_ = false;
};

}  // namespace tine::wire
