#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "wire/v8_format.hpp"
#include "wire/v8_input.hpp"

namespace tine::wire {

template <class Integer>
Integer load(const char* from) {
  Integer bytes;
  std::memcpy(&bytes, from, sizeof(bytes));
  return bytes;
}

// Most texts are short, so the last bytes are not looked at one by one, but as a group that may
// overlap the one before.
inline bool is_ascii(std::string_view text) {
  constexpr std::uint64_t high_bits = 0x8080808080808080;
  using Eight = std::uint64_t;
  using Four = std::uint32_t;
  const char* const begin = text.data();
  const std::size_t size = text.size();
  Eight seen = 0;
  if (size >= sizeof(Eight)) {
    for (std::size_t i = 0; i + sizeof(Eight) <= size; i += sizeof(Eight)) {
      seen |= load<Eight>(begin + i);
    }
    seen |= load<Eight>(begin + size - sizeof(Eight));
  } else if (size >= sizeof(Four)) {
    seen = load<Four>(begin) | load<Four>(begin + size - sizeof(Four));
  } else {
    for (const char c : text) seen |= static_cast<unsigned char>(c);
  }
  return (seen & high_bits) == 0;
}

// Returns whether a tag announces a string.
inline bool is_string(v8::Tag tag) {
  return tag == v8::Tag::latin1 || tag == v8::Tag::utf16 || tag == v8::Tag::utf8;
}

// Reads the string behind a tag as UTF-8, into `text`, and returns what is wrong with it; null if
// nothing is. Half of a surrogate pair becomes U+FFFD.
const char* read_string(V8Input& input, v8::Tag tag, std::string& text);

// The same, but the result is a part of the input if it can be, else it is in `memory`.
const char* read_string(V8Input& input, v8::Tag tag, std::string& memory, std::string_view& text);

}  // namespace tine::wire
