#include "wire/json_writer.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <string_view>

#include <simdjson.h>

#include <nlohmann/json.hpp>

namespace tine::wire {

namespace {

using nlohmann::json;

// What follows the backslash for a byte that needs one: 'u' for \u00XX.
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

class Writer {
 public:
  Writer(ByteBuffer& out, std::size_t max_depth) : out_(out), max_depth_(max_depth) {}

  // Null, or what keeps the value from being written.
  const char* write(const json& value, std::size_t depth) {
    switch (value.type()) {
      case json::value_t::object: return write_object(value, depth + 1);
      case json::value_t::array: return write_array(value, depth + 1);
      case json::value_t::string: write_string(*value.get_ptr<const json::string_t*>()); break;
      case json::value_t::boolean: out_.append(value.get<bool>() ? "true" : "false"); break;
      case json::value_t::number_integer: write_number(value.get<json::number_integer_t>()); break;
      case json::value_t::number_unsigned:
        write_number(value.get<json::number_unsigned_t>());
        break;
      case json::value_t::number_float: write_double(value.get<json::number_float_t>()); break;
      case json::value_t::null: out_.append("null"); break;
      case json::value_t::binary: return write_binary(value, depth + 1);
      case json::value_t::discarded: return "a value was discarded by a parser callback";
    }
    return nullptr;
  }

 private:
  static constexpr const char* too_deep = "nested too deeply";
  static constexpr std::size_t longest_number = 64;
  static constexpr std::size_t longest_piece = 4096;

  const char* write_object(const json& value, std::size_t depth) {
    if (depth > max_depth_) return too_deep;
    char separator = '{';
    for (const auto& [key, member] : *value.get_ptr<const json::object_t*>()) {
      out_.push_back(separator);
      write_string(key);
      out_.push_back(':');
      if (const char* const problem = write(member, depth)) return problem;
      separator = ',';
    }
    out_.append(separator == '{' ? "{}" : "}");
    return nullptr;
  }

  const char* write_array(const json& value, std::size_t depth) {
    if (depth > max_depth_) return too_deep;
    char separator = '[';
    for (const json& element : *value.get_ptr<const json::array_t*>()) {
      out_.push_back(separator);
      if (const char* const problem = write(element, depth)) return problem;
      separator = ',';
    }
    out_.append(separator == '[' ? "[]" : "]");
    return nullptr;
  }

  // An object with an array in it.
  const char* write_binary(const json& value, std::size_t depth) {
    if (depth + 1 > max_depth_) return too_deep;
    out_.append(value.dump());
    return nullptr;
  }

  template <class Number>
  void write_number(Number number) {
    char* const start = out_.room(longest_number);
    out_.advance(
        static_cast<std::size_t>(std::to_chars(start, start + longest_number, number).ptr - start));
  }

  // nlohmann's own digits, so that the text is that of dump().
  void write_double(double number) {
    if (!std::isfinite(number)) return out_.append("null");
    char* const start = out_.room(longest_number);
    const char* const end = nlohmann::detail::to_chars(start, start + longest_number, number);
    out_.advance(static_cast<std::size_t>(end - start));
  }

  void write_string(std::string_view text) {
    out_.push_back('"');
    for (; text.size() > longest_piece; text.remove_prefix(longest_piece)) {
      write_piece(text.substr(0, longest_piece));
    }
    write_piece(text);
    out_.push_back('"');
  }

  // Bounded, so that there may be room for the worst case.
  void write_piece(std::string_view text) {
    constexpr std::size_t longest_escape = 6;
    char* const start = out_.room(text.size() * longest_escape);
    char* to = start;
    std::size_t plain = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const char escape = escapes[static_cast<unsigned char>(text[i])];
      if (escape == 0) [[likely]]
        continue;
      to = copy(to, text.substr(plain, i - plain));
      to = write_escape(to, escape, text[i]);
      plain = i + 1;
    }
    to = copy(to, text.substr(plain));
    out_.advance(static_cast<std::size_t>(to - start));
  }

  static char* copy(char* to, std::string_view text) {
    std::memcpy(to, text.data(), text.size());
    return to + text.size();
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

  ByteBuffer& out_;
  std::size_t max_depth_;
};

}  // namespace

std::optional<std::string> write_json(const json& value, std::size_t max_depth, ByteBuffer& out) {
  Appending appending(out);
  const char* problem = Writer(out, max_depth).write(value, 0);
  // All text at once: strings are parted by quotes, so bad pieces cannot make up a good whole.
  const std::string_view written = appending.view();
  if (problem == nullptr && !simdjson::validate_utf8(written.data(), written.size())) {
    problem = "a string is not valid UTF-8";
  }
  if (problem != nullptr) return problem;
  appending.keep();
  return std::nullopt;
}

}  // namespace tine::wire
