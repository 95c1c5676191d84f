#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace tine::wire {

// The rule by which a stream of bytes is cut into frames. The content of each frame is one message;
// what surrounds it, such as a line feed or a length, belongs to the frame only.
//
// A framing has no state. Its functions are called once for a frame or for many, never for a byte.
class Framing {
 public:
  virtual ~Framing() = default;

  // The frame at the start of some bytes.
  struct Frame {
    std::size_t begin = 0;    // offset of the content
    std::size_t content = 0;  // size of the content, as far as it is known
    std::size_t size = 0;     // of the whole frame; 0 if the frame is incomplete
    bool foreign = false;     // the bytes are no frame: the peer writes something else
  };

  // Looks at the frame that `bytes` begin with. An earlier call with the first `searched` of these
  // bytes did not find its end.
  virtual Frame first(std::string_view bytes, std::size_t searched) const = 0;

  // The following describe bytes that begin with a frame. They ask first() for one frame after the
  // other; a framing overrides them if it has a faster way.

  // Returns the size of the complete frames that `bytes` begin with.
  virtual std::size_t size_of_complete(std::string_view bytes) const;
  // Returns the number of these frames.
  virtual std::size_t count_complete(std::string_view bytes) const;
  // Returns where the frame ends that the byte at offset `at` belongs to; `at` if a frame begins
  // there. All frames up to there are complete.
  virtual std::size_t end_of_frame(std::string_view bytes, std::size_t at) const;
};

// The framing of lines: each frame ends in '\n', which its content does not contain.
class LineFraming final : public Framing {
 public:
  Frame first(std::string_view bytes, std::size_t searched) const override;
  std::size_t size_of_complete(std::string_view bytes) const override;
  std::size_t count_complete(std::string_view bytes) const override;
  std::size_t end_of_frame(std::string_view bytes, std::size_t at) const override;
};

// The framing of values in V8's format: each begins with its length, in four bytes, the highest
// first. The value begins with the byte 0xFF. A frame without content is a frame, but no message.
class V8Framing final : public Framing {
 public:
  static constexpr std::size_t length_size = 4;
  // Node reads a length as a signed number.
  static constexpr std::size_t longest = 0x7FFF'FFFF;

  Frame first(std::string_view bytes, std::size_t searched) const override;

  // Returns the bytes of a length.
  static std::array<char, length_size> bytes_of(std::size_t length);
};

}  // namespace tine::wire
