#include "wire/v8_text.hpp"

#include <simdjson.h>

namespace tine::wire {

namespace {

// Bytes that a code unit of UTF-16 takes in UTF-8. A surrogate pair is two units and four bytes.
constexpr std::size_t most_bytes_of_unit = 3;

char* put_code_point(char* to, char32_t c) {
  const auto put = [&to](char32_t byte) { *to++ = static_cast<char>(byte); };
  const auto put_tail = [put](char32_t bits) { put(0x80 | (bits & 0x3F)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | c >> 6);
    put_tail(c);
  } else if (c < 0x10000) {
    put(0xE0 | c >> 12);
    put_tail(c >> 6);
    put_tail(c);
  } else {
    put(0xF0 | c >> 18);
    put_tail(c >> 12);
    put_tail(c >> 6);
    put_tail(c);
  }
  return to;
}

void convert_latin1(std::string_view from, std::string& text) {
  std::size_t size = from.size();
  for (const char c : from) size += static_cast<unsigned char>(c) >> 7;
  text.resize(size);
  char* to = text.data();
  for (const char c : from) to = put_code_point(to, static_cast<unsigned char>(c));
}

char32_t unit_at(std::string_view from, std::size_t at) {
  char16_t unit = 0;
  std::memcpy(&unit, from.data() + at, sizeof(unit));
  return unit;
}

void convert_utf16(std::string_view from, std::string& text) {
  constexpr char32_t replacement = 0xFFFD;
  const auto is_high = [](char32_t unit) { return (unit & 0xFC00) == 0xD800; };
  const auto is_low = [](char32_t unit) { return (unit & 0xFC00) == 0xDC00; };
  text.resize(from.size() / sizeof(char16_t) * most_bytes_of_unit);
  char* to = text.data();
  for (std::size_t at = 0; at < from.size(); at += sizeof(char16_t)) {
    char32_t c = unit_at(from, at);
    if (is_high(c) || is_low(c)) {
      const std::size_t next = at + sizeof(char16_t);
      const char32_t second = next < from.size() ? unit_at(from, next) : 0;
      const bool is_pair = is_high(c) && is_low(second);
      c = is_pair ? 0x10000 + ((c & 0x3FF) << 10) + (second & 0x3FF) : replacement;
      if (is_pair) at = next;
    }
    to = put_code_point(to, c);
  }
  text.resize(static_cast<std::size_t>(to - text.data()));
}

}  // namespace

const char* read_string(V8Input& input, v8::Tag tag, std::string& text) {
  std::string_view view;
  const char* const problem = read_string(input, tag, text, view);
  if (problem == nullptr && view.data() != text.data()) text.assign(view);
  return problem;
}

const char* read_string(V8Input& input, v8::Tag tag, std::string& memory, std::string_view& text) {
  if (!is_string(tag)) return "a string is missing";
  const std::string_view bytes = input.bytes(input.varint());
  text = bytes;
  if (tag == v8::Tag::utf16) {
    if (bytes.size() % sizeof(char16_t) != 0) return "a string ends within a character";
    convert_utf16(bytes, memory);
    text = memory;
  } else if (is_ascii(bytes)) {
    return nullptr;
  } else if (tag == v8::Tag::latin1) {
    convert_latin1(bytes, memory);
    text = memory;
  } else if (!simdjson::validate_utf8(bytes.data(), bytes.size())) {
    return "a string is not valid UTF-8";
  }
  return nullptr;
}

}  // namespace tine::wire
