#include "wire/v8_bigint.hpp"

#include <algorithm>
#include <cstring>

namespace tine::wire {

namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

unsigned digit_value(char digit) {
  if (digit >= '0' && digit <= '9') return static_cast<unsigned>(digit - '0');
  return static_cast<unsigned>((digit | 0x20) - 'a' + 10);
}

std::string bytes_of(std::uint64_t number) {
  std::string bytes(sizeof(number), '\0');
  std::memcpy(bytes.data(), &number, sizeof(number));
  return bytes;
}

}  // namespace

V8BigInt::V8BigInt(bool is_negative, std::string_view bytes)
    : is_negative_(is_negative), bytes_(bytes) {
  trim();
}

V8BigInt::V8BigInt(std::uint64_t number) : V8BigInt(false, bytes_of(number)) {}

V8BigInt::V8BigInt(std::int64_t number)
    : V8BigInt(number < 0, bytes_of(number < 0 ? 0 - static_cast<std::uint64_t>(number)
                                               : static_cast<std::uint64_t>(number))) {}

bool V8BigInt::is_text(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  if (text.size() < 3 || !text.starts_with("0x")) return false;
  return text.substr(2).find_first_not_of("0123456789abcdefABCDEF") == text.npos;
}

V8BigInt::V8BigInt(std::string_view text) : is_negative_(text.starts_with('-')) {
  text.remove_prefix(is_negative_ ? 3 : 2);
  bytes_.reserve((text.size() + 1) / 2);
  while (!text.empty()) {
    const std::size_t digits = std::min<std::size_t>(text.size(), 2);
    unsigned byte = 0;
    for (const char digit : text.substr(text.size() - digits)) {
      byte = byte << 4 | digit_value(digit);
    }
    bytes_ += static_cast<char>(byte);
    text.remove_suffix(digits);
  }
  trim();
}

std::string V8BigInt::text() const {
  std::string text = is_negative_ ? "-0x" : "0x";
  text.reserve(text.size() + 2 * bytes_.size());
  for (auto byte = bytes_.rbegin(); byte != bytes_.rend(); ++byte) {
    const auto bits = static_cast<unsigned char>(*byte);
    if (byte != bytes_.rbegin() || bits > 0xF) text += hex_digits[bits >> 4];
    text += hex_digits[bits & 0xF];
  }
  if (bytes_.empty()) text += '0';
  return text;
}

std::optional<std::uint64_t> V8BigInt::as_unsigned() const {
  return is_negative_ ? std::nullopt : absolute();
}

std::optional<std::int64_t> V8BigInt::as_negative() const {
  constexpr std::uint64_t lowest = std::uint64_t{1} << 63;
  const auto number = absolute();
  if (!is_negative_ || !number || *number > lowest) return std::nullopt;
  return static_cast<std::int64_t>(0 - *number);
}

std::optional<std::uint64_t> V8BigInt::absolute() const {
  std::uint64_t number = 0;
  if (bytes_.size() > sizeof(number)) return std::nullopt;
  std::memcpy(&number, bytes_.data(), bytes_.size());
  return number;
}

void V8BigInt::trim() {
  bytes_.erase(bytes_.find_last_not_of('\0') + 1);
  if (bytes_.empty()) is_negative_ = false;
}

}  // namespace tine::wire
