// A framing that announces lengths: each frame is a length in four bytes, the highest first, and as
// many bytes of content.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "wire/framing.hpp"

class LengthFraming final : public tine::wire::Framing {
 public:
  static constexpr std::size_t header = 4;

  Frame first(std::string_view bytes, std::size_t) const override {
    if (bytes.size() < header) return {};
    std::size_t length = 0;
    for (const char byte : bytes.substr(0, header)) {
      length = length << 8 | static_cast<unsigned char>(byte);
    }
    const bool complete = bytes.size() - header >= length;
    return {.begin = header, .content = length, .size = complete ? header + length : 0};
  }
};

inline std::string length_frame(std::string_view content) {
  std::string frame;
  for (int shift = 24; shift >= 0; shift -= 8) {
    frame += static_cast<char>(content.size() >> shift & 0xFF);
  }
  return frame.append(content);
}
