#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "wire/v8_format.hpp"

namespace tine::wire {

// The bytes of a value, read from front to back.
//
// At the first problem the input ends: from then on, all that is read is zero or empty. So a reader
// need not check each part, but it must check problem() before it takes a value for read.
class V8Input {
 public:
  V8Input() = default;
  explicit V8Input(std::string_view bytes)
      : begin_(bytes.data()), at_(begin_), end_(begin_ + bytes.size()) {}

  std::size_t offset() const { return static_cast<std::size_t>(at_ - begin_); }
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }

  // Null: there was none. Its offset() is where the input ended.
  const char* problem() const { return problem_; }
  std::size_t problem_offset() const { return problem_offset_; }

  // Skips padding. Returns the next tag and leaves it there; Tag::none at the end.
  v8::Tag peek() {
    while (at_ != end_ && *at_ == '\0') ++at_;
    return at_ == end_ ? v8::Tag::none : static_cast<v8::Tag>(*at_);
  }

  v8::Tag tag() {
    const v8::Tag tag = peek();
    if (at_ == end_) [[unlikely]] {
      fail(too_short);
    } else {
      ++at_;
    }
    return tag;
  }

  // Takes the next tag if it is this one.
  bool take(v8::Tag tag) {
    if (peek() != tag || at_ == end_) return false;
    ++at_;
    return true;
  }

  char byte() {
    if (at_ != end_) [[likely]]
      return *at_++;
    fail(too_short);
    return '\0';
  }

  // Reads an unsigned number, its seven lowest bits first.
  std::uint32_t varint() {
    if (at_ != end_ && static_cast<unsigned char>(*at_) < 0x80) [[likely]]
      return static_cast<unsigned char>(*at_++);
    if (left() >= short_varint) [[likely]] {
      const char* at = at_;
      std::uint32_t number = 0;
      for (std::size_t i = 0; i < short_varint; ++i) {
        const auto byte = static_cast<unsigned char>(*at++);
        number |= (byte & 0x7FU) << (7 * i);
        if (byte < 0x80) {
          at_ = at;
          return number;
        }
      }
    }
    const std::uint64_t number = long_varint();
    if (number <= UINT32_MAX) [[likely]]
      return static_cast<std::uint32_t>(number);
    fail(too_large);
    return 0;
  }

  // Reads a signed number: its sign is the lowest bit.
  std::int32_t zigzag() {
    const std::uint32_t bits = varint();
    return static_cast<std::int32_t>(bits >> 1 ^ (0 - (bits & 1)));
  }

  double number() {
    double number = 0;
    const std::string_view from = bytes(sizeof(number));
    std::memcpy(&number, from.data(), from.size());
    return number;
  }

  std::string_view bytes(std::size_t size) {
    if (size > left()) [[unlikely]] {
      fail(too_short);
      return {"", 0};
    }
    const std::string_view taken(at_, size);
    at_ += size;
    return taken;
  }

 private:
  static constexpr std::size_t short_varint = 4;  // bytes whose bits are never too many
  static constexpr const char* too_short = "the message ends too early";
  static constexpr const char* too_large = "a number is too large";

  std::uint64_t long_varint() {
    std::uint64_t number = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(this->byte());
      const std::uint64_t bits = byte & 0x7FU;
      if (shift == 63 && bits > 1) break;
      number |= bits << shift;
      if (byte < 0x80) return number;
    }
    fail(too_large);
    return 0;
  }

  void fail(const char* problem) {
    if (problem_ == nullptr) {
      problem_ = problem;
      problem_offset_ = offset();
    }
    at_ = end_;
  }

  const char* begin_ = "";
  const char* at_ = begin_;
  const char* end_ = begin_;
  const char* problem_ = nullptr;
  std::size_t problem_offset_ = 0;
};

}  // namespace tine::wire
