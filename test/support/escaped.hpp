#pragma once

#include <string>
#include <string_view>

// Returns the bytes as an argument for the test program `raw`.
inline std::string escaped(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    text += {'\\', 'x', digits[value / 16], digits[value % 16]};
  }
  return text;
}
