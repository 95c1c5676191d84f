#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/byte_buffer.hpp"
#include "wire/v8_format.hpp"

namespace tine::wire {

// Appends the parts of V8's format to a buffer.
class V8Output {
 public:
  V8Output() = default;
  explicit V8Output(base::ByteBuffer& out) : out_(&out) {}

  void byte(char byte) { out_->push_back(byte); }
  void tag(v8::Tag tag) { out_->push_back(static_cast<char>(tag)); }

  void varint(std::uint64_t number) {
    char* const to = out_->room(longest_varint);
    out_->advance(static_cast<std::size_t>(put_varint(to, number) - to));
  }

  void tag(v8::Tag tag, std::uint64_t number) {
    char* const to = out_->room(1 + longest_varint);
    *to = static_cast<char>(tag);
    out_->advance(static_cast<std::size_t>(put_varint(to + 1, number) - to));
  }

  void tag(v8::Tag tag, double number) {
    char* const to = out_->room(1 + sizeof(number));
    *to = static_cast<char>(tag);
    std::memcpy(to + 1, &number, sizeof(number));
    out_->advance(1 + sizeof(number));
  }

  // Appends a tag, the size of bytes, and the bytes.
  void tag(v8::Tag tag, std::string_view bytes) {
    char* const to = out_->room(1 + longest_varint + bytes.size());
    *to = static_cast<char>(tag);
    char* const content = put_varint(to + 1, bytes.size());
    if (!bytes.empty()) std::memcpy(content, bytes.data(), bytes.size());
    out_->advance(static_cast<std::size_t>(content - to) + bytes.size());
  }

  void bytes(std::string_view bytes) { out_->append(bytes); }

 private:
  static constexpr std::size_t longest_varint = 10;

  static char* put_varint(char* to, std::uint64_t number) {
    for (; number >= 0x80; number >>= 7) *to++ = static_cast<char>(number | 0x80);
    *to++ = static_cast<char>(number);
    return to;
  }

  base::ByteBuffer* out_ = nullptr;
};

}  // namespace tine::wire
