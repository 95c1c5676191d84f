#include "base/base64.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace tine::base {

namespace {

constexpr std::string_view digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr unsigned no_digit = 64;

// The six bits that each character stands for.
constexpr auto bits_of = [] {
  std::array<std::uint8_t, 256> table{};
  table.fill(no_digit);
  for (std::size_t i = 0; i < digits.size(); ++i) {
    table[static_cast<unsigned char>(digits[i])] = static_cast<std::uint8_t>(i);
  }
  return table;
}();

// Each group of up to three bytes becomes four characters.
constexpr std::size_t bytes_in_group = 3;
constexpr std::size_t characters_in_group = 4;

unsigned bits(char c) { return bits_of[static_cast<unsigned char>(c)]; }

std::size_t padding_of(std::string_view text) {
  return text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
}

}  // namespace

std::string to_base64(std::span<const std::uint8_t> bytes) {
  std::string text;
  text.reserve((bytes.size() + bytes_in_group - 1) / bytes_in_group * characters_in_group);
  for (; !bytes.empty(); bytes = bytes.subspan(std::min(bytes.size(), bytes_in_group))) {
    const auto byte = [&](std::size_t i) { return i < bytes.size() ? unsigned{bytes[i]} : 0U; };
    const unsigned group = byte(0) << 16 | byte(1) << 8 | byte(2);
    for (std::size_t i = 0; i < characters_in_group; ++i) {
      text += i <= bytes.size() ? digits[group >> (18 - 6 * i) & 0x3F] : '=';
    }
  }
  return text;
}

// The bits of the last digit that belong to no byte are zero.
bool is_base64(std::string_view text) {
  if (text.size() % characters_in_group != 0) return false;
  const std::size_t padding = padding_of(text);
  text.remove_suffix(padding);
  const bool all = std::all_of(text.begin(), text.end(), [](char c) { return bits(c) < no_digit; });
  const unsigned unused = padding == 2 ? 0xF : padding == 1 ? 0x3 : 0;
  return all && (unused == 0 || (bits(text.back()) & unused) == 0);
}

std::vector<std::uint8_t> from_base64(std::string_view text) {
  std::vector<std::uint8_t> bytes;
  const std::size_t padding = padding_of(text);
  bytes.reserve(text.size() / characters_in_group * bytes_in_group);
  for (; !text.empty(); text.remove_prefix(characters_in_group)) {
    unsigned group = 0;
    for (const char c : text.substr(0, characters_in_group)) group = group << 6 | (bits(c) & 0x3F);
    for (const unsigned shift : {16U, 8U, 0U}) {
      bytes.push_back(static_cast<std::uint8_t>(group >> shift & 0xFF));
    }
  }
  bytes.resize(bytes.size() - padding);
  return bytes;
}

}  // namespace tine::base
