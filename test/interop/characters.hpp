// Any bytes within JSON text, for a JavaScript program.
#pragma once

#include <string>
#include <string_view>

// Returns a text for a JSON string that stands for any bytes: each byte becomes the character with
// its number.
inline std::string characters(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      text += c;
    } else {
      text += static_cast<char>(0xC0 | (byte >> 6));
      text += static_cast<char>(0x80 | (byte & 0x3F));
    }
  }
  return text;
}
