#include "wire/json_writer.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>
#include <variant>

#include <simdjson.h>

#include <nlohmann/json.hpp>

namespace tine::wire {

namespace {

using detail::Value;
using nlohmann::json;

// The character behind the backslash for a byte that needs an escape: 'u' stands for \u00XX. 0 for
// all other bytes.
constexpr auto escapes = [] {
  std::array<char, 256> table{};
  for (std::size_t c = 0; c < 0x20; ++c) table[c] = 'u';
  table['\b'] = 'b';
  table['\t'] = 't';
  table['\n'] = 'n';
  table['\f'] = 'f';
  table['\r'] = 'r';
  table['"'] = '"';
  table['\\'] = '\\';
  return table;
}();

// A writer of JSON text that passes its write position from call to call, in a register. A position
// in the buffer would be reloaded after each byte: the compiler must assume that writing a byte may
// have changed it.
class Writer {
 public:
  Writer(base::ByteBuffer& out, std::size_t max_depth, TextOfOther text_of_other)
      : out_(out), max_depth_(max_depth), text_of_other_(text_of_other) {}

  void write(base::ValueRef value) {
    finish(base::visit([this](const auto& form) { return write(begin(), form, 0); }, value));
  }

  // Returns why the value cannot be written; null if it can.
  const char* problem() const { return problem_; }
  // Returns whether all strings that were written are ASCII.
  bool is_ascii() const { return (seen_ & each_byte * 0x80) == 0; }

 private:
  using Eight = std::uint64_t;
  static constexpr Eight each_byte = 0x0101010101010101;
  static constexpr const char* too_deep = "nested too deeply";
  static constexpr std::size_t longest_number = 64;
  static constexpr std::size_t longest_escape = 6;
  static constexpr std::size_t longest_piece = 4096;
  static constexpr std::size_t longest_short = 2 * sizeof(Eight);
  // The bytes around a string: a separator, two quotes, a colon.
  static constexpr std::size_t around_string = 4;

  // Returns room for at least n bytes behind those that finish() has counted.
  char* begin(std::size_t n = longest_number) {
    start_ = out_.room(n);
    end_ = start_ + (out_.capacity() - out_.size());
    return start_;
  }
  void finish(const char* to) { out_.advance(static_cast<std::size_t>(to - start_)); }
  char* ensure(char* to, std::size_t n) {
    if (static_cast<std::size_t>(end_ - to) >= n) [[likely]]
      return to;
    finish(to);
    return begin(n);
  }

  char* write(char* to, const json& value, std::size_t depth) {
    to = ensure(to, longest_number);
    switch (value.type()) {
      case json::value_t::object:
        return write_members(to, *value.get_ptr<const json::object_t*>(), depth + 1);
      case json::value_t::array:
        return write_items(to, *value.get_ptr<const json::array_t*>(), depth + 1);
      case json::value_t::string:
        return write_leaf(to, std::string_view(*value.get_ptr<const json::string_t*>()));
      case json::value_t::boolean: return write_leaf(to, *value.get_ptr<const bool*>());
      case json::value_t::number_integer:
        return write_leaf(to, *value.get_ptr<const json::number_integer_t*>());
      case json::value_t::number_unsigned:
        return write_leaf(to, *value.get_ptr<const json::number_unsigned_t*>());
      case json::value_t::number_float:
        return write_leaf(to, *value.get_ptr<const json::number_float_t*>());
      case json::value_t::null: return write_leaf(to, nullptr);
      case json::value_t::binary: return write_binary(to, value, depth + 1);
      case json::value_t::discarded: problem_ = "a value was discarded by a parser callback";
    }
    return to;
  }

  char* write(char* to, const Object& object, std::size_t depth) {
    return write_members(ensure(to, longest_number), object.members(), depth + 1);
  }
  char* write(char* to, const Array& array, std::size_t depth) {
    return write_items(ensure(to, longest_number), array.items(), depth + 1);
  }
  char* write(char* to, const Value& value, std::size_t depth) {
    to = ensure(to, longest_number);
    return std::visit(
        [&]<class Content>(const Content& content) {
          if constexpr (std::is_same_v<Content, Value::Json>) {
            return write(to, *content, depth);
          } else if constexpr (detail::Built<Content>) {
            return write(to, content, depth);
          } else {
            return write_leaf(to, content);
          }
        },
        value.content());
  }

  template <class Members>
  char* write_members(char* to, const Members& members, std::size_t depth) {
    if (depth > max_depth_) problem_ = too_deep;
    char separator = '{';
    for (const auto& [key, member] : members) {
      if (problem_ != nullptr) return to;
      to = write_quoted(ensure(to, around_string), separator, key);
      *to++ = ':';
      to = write(to, member, depth);
      separator = ',';
    }
    to = ensure(to, 2);
    if (separator == '{') *to++ = '{';
    *to++ = '}';
    return to;
  }

  template <class Items>
  char* write_items(char* to, const Items& items, std::size_t depth) {
    if (depth > max_depth_) problem_ = too_deep;
    char separator = '[';
    for (const auto& element : items) {
      if (problem_ != nullptr) return to;
      to = ensure(to, 1);
      *to++ = separator;
      to = write(to, element, depth);
      separator = ',';
    }
    to = ensure(to, 2);
    if (separator == '[') *to++ = '[';
    *to++ = ']';
    return to;
  }

  char* write_other(char* to, const json& value) {
    const std::string text = text_of_other_(value);
    return copy(ensure(to, text.size()), text);
  }

  // Writes an object with an array in it, as dump() does for binary data.
  char* write_binary(char* to, const json& value, std::size_t depth) {
    if (text_of_other_ != nullptr) return write_other(to, value);
    if (depth + 1 > max_depth_) {
      problem_ = too_deep;
      return to;
    }
    const std::string text = value.dump();
    return copy(ensure(to, text.size()), text);
  }

  // The caller has made room for longest_number bytes.
  static char* write_leaf(char* to, std::nullptr_t) { return copy(to, "null"); }
  static char* write_leaf(char* to, bool value) { return copy(to, value ? "true" : "false"); }
  template <std::integral Number>
  static char* write_leaf(char* to, Number number) {
    return std::to_chars(to, to + longest_number, number).ptr;
  }
  // Uses nlohmann's own digits, so that the text equals that of dump().
  char* write_leaf(char* to, double number) {
    if (!std::isfinite(number)) [[unlikely]] {
      return write_not_finite(to, number);
    }
    return nlohmann::detail::to_chars(to, to + longest_number, number);
  }
  // A function of its own, because write() would need a larger stack frame with it.
  [[gnu::noinline]] char* write_not_finite(char* to, double number) {
    return text_of_other_ == nullptr ? copy(to, "null") : write_other(to, number);
  }
  char* write_leaf(char* to, std::string_view text) {
    *to++ = '"';
    to = write_escaped(to, text);
    *to++ = '"';
    return to;
  }

  // Writes a separator and a key in quotes. The caller has made room for the bytes around the key.
  char* write_quoted(char* to, char separator, std::string_view text) {
    *to++ = separator;
    *to++ = '"';
    to = write_escaped(to, text);
    *to++ = '"';
    return to;
  }

  // Writes the text in pieces, each with room for its worst case. `around_string` bytes are left
  // over for what follows the text.
  char* write_escaped(char* to, std::string_view text) {
    if (text.size() <= longest_short) [[likely]]
      return write_short(ensure(to, longest_short * longest_escape + around_string), text);
    do {
      const std::string_view piece = text.substr(0, longest_piece);
      to = write_piece(ensure(to, piece.size() * longest_escape + around_string), piece);
      text.remove_prefix(piece.size());
    } while (!text.empty());
    return to;
  }

  char* write_piece(char* to, std::string_view text) {
    if (text.size() < sizeof(Eight)) return write_short(to, text);
    const char* const last_eight = text.data() + text.size() - sizeof(Eight);
    for (; text.size() >= sizeof(Eight); text.remove_prefix(sizeof(Eight))) {
      to = write_plain(to, load<Eight>(text.data()), text.substr(0, sizeof(Eight)));
    }
    // Writes the rest as part of the last eight bytes of the text. If none of the eight needs an
    // escape, those before the rest are already in place just before `to`.
    const auto eight = load<Eight>(last_eight);
    if (text.empty() || needs_escape(eight)) return write_bytes(to, text);
    std::memcpy(to + text.size() - sizeof(Eight), &eight, sizeof(Eight));
    seen_ |= eight;
    return to + text.size();
  }

  // Writes at most 16 bytes, which most keys and strings are, as two groups that may overlap.
  char* write_short(char* to, std::string_view text) {
    using Four = std::uint32_t;
    if (text.size() >= sizeof(Eight)) return write_groups<Eight>(to, text);
    if (text.size() >= sizeof(Four)) return write_groups<Four>(to, text);
    return write_bytes(to, text);
  }

  template <class Group>
  char* write_groups(char* to, std::string_view text) {
    const std::size_t at_last = text.size() - sizeof(Group);
    const auto first = load<Group>(text.data());
    const auto last = load<Group>(text.data() + at_last);
    bool escape = false;
    if constexpr (sizeof(Group) == sizeof(Eight)) {
      escape = needs_escape(first) || needs_escape(last);
    } else {
      escape = needs_escape(first | Eight{last} << 32);
    }
    if (escape) [[unlikely]]
      return write_bytes(to, text);
    std::memcpy(to, &first, sizeof(Group));
    std::memcpy(to + at_last, &last, sizeof(Group));
    seen_ |= first | last;
    return to + text.size();
  }

  char* write_plain(char* to, Eight eight, std::string_view same) {
    if (needs_escape(eight)) [[unlikely]]
      return write_bytes(to, same);
    std::memcpy(to, &eight, sizeof(eight));
    seen_ |= eight;
    return to + sizeof(eight);
  }

  template <class T>
  static T load(const char* from) {
    T bytes;
    std::memcpy(&bytes, from, sizeof(bytes));
    return bytes;
  }

  // Returns whether one of the eight bytes needs an escape: it is less than a blank, a quote or a
  // backslash.
  static bool needs_escape(Eight eight) {
    const auto has_zero = [](Eight bytes) { return (bytes - each_byte) & ~bytes; };
    const Eight found = ((eight - each_byte * ' ') & ~eight) | has_zero(eight ^ each_byte * '"') |
                        has_zero(eight ^ each_byte * '\\');
    return (found & each_byte * 0x80) != 0;
  }

  char* write_bytes(char* to, std::string_view text) {
    for (const char c : text) {
      seen_ |= static_cast<unsigned char>(c);
      const char escape = escapes[static_cast<unsigned char>(c)];
      if (escape == 0) [[likely]] {
        *to++ = c;
      } else {
        to = write_escape(to, escape, c);
      }
    }
    return to;
  }

  static char* write_escape(char* to, char escape, char c) {
    constexpr std::string_view digits = "0123456789abcdef";
    *to++ = '\\';
    *to++ = escape;
    if (escape != 'u') return to;
    const auto byte = static_cast<unsigned char>(c);
    for (const char digit : {'0', '0', digits[byte >> 4], digits[byte & 15]}) *to++ = digit;
    return to;
  }

  static char* copy(char* to, std::string_view text) {
    std::memcpy(to, text.data(), text.size());
    return to + text.size();
  }

  base::ByteBuffer& out_;
  std::size_t max_depth_;
  TextOfOther text_of_other_;
  char* start_ = nullptr;  // start of the room in out_
  char* end_ = nullptr;
  const char* problem_ = nullptr;
  Eight seen_ = 0;  // all bytes of strings, OR'ed together
};

}  // namespace

std::optional<std::string> write_json(base::ValueRef value, std::size_t max_depth,
                                      base::ByteBuffer& out, TextOfOther text_of_other) {
  base::Appending appending(out);
  Writer writer(out, max_depth, text_of_other);
  writer.write(value);
  if (writer.problem() != nullptr) return writer.problem();
  // Validates all text at once: quotes separate the strings, so invalid pieces cannot form valid
  // text together.
  const std::string_view text = appending.view();
  if (!writer.is_ascii() && !simdjson::validate_utf8(text.data(), text.size())) {
    return "a string is not valid UTF-8";
  }
  appending.keep();
  return std::nullopt;
}

}  // namespace tine::wire
