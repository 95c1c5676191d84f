#include "wire/random_json.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>

namespace {

constexpr std::size_t deepest = 4;

}  // namespace

std::string RandomJson::next_text() {
  if (below(200) == 0 || shape_.type == '0') {
    shape_ = new_shape(0);
  } else if (below(3) != 0) {
    change(shape_, 0);
  }
  std::string text = blank();
  text += text_of(shape_);
  text += blank();
  return text;
}

RandomJson::Shape RandomJson::new_shape(std::size_t depth) {
  constexpr std::string_view types = "{{{[[\"\"n-1tf";
  Shape shape;
  shape.type = depth == 0 ? '{' : types[below(types.size())];
  if (depth >= deepest && (shape.type == '{' || shape.type == '[')) shape.type = '"';
  if (shape.type != '{' && shape.type != '[') return shape;
  const bool large = most_members_ >= 40 && depth < 2 && below(16) == 0;
  const std::size_t size = large ? 28 + below(12) : below(std::min<std::size_t>(5, most_members_));
  for (std::size_t i = 0; i < size; ++i) add_child(shape, depth);
  return shape;
}

void RandomJson::add_child(Shape& shape, std::size_t depth) {
  const std::size_t at = below(shape.children.size() + 1);
  const auto offset = static_cast<std::ptrdiff_t>(at);
  if (shape.type == '{') {
    shape.keys.insert(shape.keys.begin() + offset, "k" + std::to_string(below(60)));
  }
  shape.children.insert(shape.children.begin() + offset, new_shape(depth + 1));
}

void RandomJson::change(Shape& shape, std::size_t depth) {
  if (depth > 0 && below(6) == 0) {
    shape = new_shape(depth);
  } else if (!shape.children.empty() && below(2) == 0) {
    change(shape.children[below(shape.children.size())], depth + 1);
  } else if (shape.type == '{' || shape.type == '[') {
    change_members(shape, depth);
  }
}

void RandomJson::change_members(Shape& shape, std::size_t depth) {
  const std::size_t size = shape.children.size();
  const std::size_t one = size == 0 ? 0 : below(size);
  const std::size_t other = size == 0 ? 0 : below(size);
  const std::size_t action = size == 0 ? 0 : below(6);
  if (action == 0 && size < most_members_) add_child(shape, depth);
  if (action == 1) {
    shape.children.erase(shape.children.begin() + static_cast<std::ptrdiff_t>(one));
    if (shape.type == '{') shape.keys.erase(shape.keys.begin() + static_cast<std::ptrdiff_t>(one));
  }
  if (shape.type != '{') return;
  if (action == 2) shape.keys[one] = shape.keys[other];
  if (action == 3) std::swap(shape.keys[one], shape.keys[other]);
  if (action == 4) std::sort(shape.keys.begin(), shape.keys.end());
  if (action == 5) std::rotate(shape.keys.begin(), shape.keys.begin() + 1, shape.keys.end());
}

std::string RandomJson::text_of(const Shape& shape) {
  switch (shape.type) {
    case '"': return string_text();
    case 'n': return "null";
    case 't': return "true";
    case 'f': return "false";
    case '-':
    case '1': return number_text();
  }
  std::string text(1, shape.type);
  for (std::size_t i = 0; i < shape.children.size(); ++i) {
    if (i > 0) text += ',' + blank();
    if (shape.type == '{') text += '"' + shape.keys[i] + "\":";
    text += text_of(shape.children[i]);
  }
  return text + (shape.type == '{' ? '}' : ']');
}

std::string RandomJson::string_text() {
  constexpr auto pieces = std::to_array<std::string_view>(
      {"a", "text", "é", "€", "😀", "\x7F", "/", "[", "{", "'", R"(\n)", R"(\")", R"(\\)", R"(\/)",
       R"(\u0041)", R"(\u0000)", R"(\u00e9)", R"(\uD83D\uDE00)", "a longer piece of some text"});
  std::string text = "\"";
  for (std::size_t count = below(5); count > 0; --count) text += pieces[below(pieces.size())];
  return text + '"';
}

std::string RandomJson::number_text() {
  constexpr auto special = std::to_array<std::string_view>(
      {"0", "-1", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
       "-9223372036854775809", "18446744073709551615", "18446744073709551616", "0.0", "-0.0",
       "1e21", "1E-7", "5e-324", "1e-400", "1.7976931348623157e308", "9007199254740993.0"});
  const std::size_t kind = below(4);
  if (kind == 0) return std::string(special[below(special.size())]);
  if (kind == 1) return std::to_string(below(1000));
  if (kind == 2) return '-' + std::to_string(1 + (bits() >> below(63)));
  std::string text = std::to_string(bits());
  text += '.' + std::to_string(bits());
  text += 'e' + std::to_string(below(280));
  return text;
}

std::string RandomJson::mutated(std::string text) {
  constexpr auto pieces = std::to_array<std::string_view>({"{",
                                                           "}",
                                                           "[",
                                                           "]",
                                                           ",",
                                                           ":",
                                                           "\"",
                                                           "\\",
                                                           "\\u",
                                                           "0",
                                                           "-",
                                                           ".",
                                                           "e",
                                                           "1e999",
                                                           "null",
                                                           "tru",
                                                           " ",
                                                           "\t",
                                                           "\r",
                                                           "\x01",
                                                           "\x7F",
                                                           "\xC3",
                                                           "\xA9",
                                                           "\xED\xA0\x80",
                                                           "\xF4\x90\x80\x80",
                                                           "\xFF",
                                                           "\xEF\xBB\xBF",
                                                           "//",
                                                           "'",
                                                           "\\ud800",
                                                           "\\udc00"});
  for (std::size_t count = 1 + below(2); count > 0; --count) {
    const std::size_t at = below(text.size() + 1);
    const std::size_t action = below(5);
    if (action == 0) text.resize(at);
    if (action == 1) text.erase(at, 1 + below(4));
    if (action == 2) text.insert(at, pieces[below(pieces.size())]);
    if (action == 3 && at < text.size()) text[at] = static_cast<char>(below(256));
    if (action == 4) {
      const std::size_t from = below(text.size() + 1);
      text.insert(at, text.substr(from, 1 + below(8)));
    }
  }
  return text;
}

bool same(const nlohmann::json& left, const nlohmann::json& right) {
  if (left.is_number_integer() && right.is_number_integer() && left == 0 && right == 0) return true;
  if (left.type() != right.type() || left.size() != right.size()) return false;
  if (left.is_object()) {
    return std::equal(left.items().begin(), left.items().end(), right.items().begin(),
                      [](const auto& one, const auto& other) {
                        return one.key() == other.key() && same(one.value(), other.value());
                      });
  }
  if (left.is_array()) return std::equal(left.begin(), left.end(), right.begin(), same);
  if (left.is_number_float()) {
    return left == right && std::signbit(left.get<double>()) == std::signbit(right.get<double>());
  }
  return left == right;
}
