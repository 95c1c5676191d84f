#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tine::wire {

// An integer of any size: its sign, and its absolute value in bytes, the lowest first. The last byte
// is not zero, so zero has no bytes.
//
// Its text is hexadecimal, such as "-0x1f": decimal digits of a long number take time with the
// square of its length.
class V8BigInt {
 public:
  V8BigInt(bool is_negative, std::string_view bytes);
  explicit V8BigInt(std::int64_t number);
  explicit V8BigInt(std::uint64_t number);

  // Returns whether a text is that of a BigInt.
  static bool is_text(std::string_view text);
  explicit V8BigInt(std::string_view text);

  bool is_negative() const { return is_negative_; }
  const std::string& bytes() const { return bytes_; }
  std::string text() const;

  // The number, if it fits. One that is not negative is unsigned.
  std::optional<std::uint64_t> as_unsigned() const;
  std::optional<std::int64_t> as_negative() const;

 private:
  std::optional<std::uint64_t> absolute() const;
  void trim();

  bool is_negative_;
  std::string bytes_;
};

}  // namespace tine::wire
