#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "base/byte_buffer.hpp"
#include "base/recent_need.hpp"
#include "wire/framing.hpp"

namespace tine::wire {

// A decoder that cuts a byte stream into frames.
//
// The stream arrives in pieces of any size; a frame, even one UTF-8 character, may span several.
// Each byte is searched once. `padding` readable bytes follow the content of each frame.
class FrameDecoder {
 public:
  // max_content is the longest content accepted: a peer that never ends its frame must not make us
  // buffer without bound.
  FrameDecoder(const Framing& framing, std::size_t max_content);

  // room() returns where the next read puts its bytes: at least `wanted` bytes, never empty.
  // advance() takes over the n bytes that were read to it.
  std::span<char> room(std::size_t wanted = read_size);
  void advance(std::size_t n);

  // Returns the content of the next complete frame, or nullopt if none is complete yet. It is valid
  // until room().
  std::optional<std::string_view> next();

  // Returns the whole frame that next() returned last. It is valid until room().
  std::string_view last() const { return bytes_.view().substr(begin_ - last_size_, last_size_); }

  // Returns the whole frames whose contents next() will return, as many as fit in `most` bytes.
  // Empty if these are fewer than two.
  std::string_view ahead(std::size_t most);

  // Takes back the frame that next() returned last; next() will return it again.
  void put_back();

  // Frees the memory if no bytes are pending.
  void release_if_empty();

  // Returns whether next() has a frame to return.
  bool has_frame() {
    if (next_.size == 0) find_next();
    return next_.size > 0;
  }

  // Returns whether the next frame cannot be taken: its content is longer than max_content, or it
  // is no frame at all. This is final: the decoder cannot know where the frame after it begins.
  bool overflown() const { return overflown_; }
  // Returns whether it is no frame at all.
  bool foreign() const { return foreign_; }

  // Returns how many bytes came in and have not left through next().
  std::size_t pending() const { return bytes_.size() - begin_; }
  // Returns how many of the pending bytes belong to a frame that is incomplete.
  std::size_t unfinished() const;

  static constexpr std::size_t read_size = std::size_t{64} << 10;

 private:
  void find_next();
  void make_space(std::size_t wanted);

  const Framing& framing_;
  base::ByteBuffer bytes_;
  std::size_t max_content_;
  std::size_t begin_ = 0;         // start of the next frame
  Framing::Frame next_;           // what is known of it
  std::size_t searched_ = 0;      // how many of the pending bytes were searched for it
  std::size_t last_size_ = 0;     // size of the frame before it
  std::size_t most_pending_ = 0;  // maximum of pending() since it was last 0
  base::RecentNeed need_;
  bool overflown_ = false;
  bool foreign_ = false;
};

}  // namespace tine::wire
