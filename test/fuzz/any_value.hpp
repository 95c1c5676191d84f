// Builds values from the bytes of an input.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

// Builds any value: one byte chooses its type, the bytes after it are its content.
class AnyValue {
  using json = nlohmann::json;

 public:
  explicit AnyValue(std::string_view bytes) : bytes_(bytes) {}

  json next(std::size_t depth = 0) {
    switch (depth < deepest ? byte() % 11 : 0) {
      case 0: return nullptr;
      case 1: return byte() % 2 == 0;
      case 2: return number<std::int64_t>();
      case 3: return number<std::uint64_t>();
      case 4: return number<double>();
      case 5: return text();
      case 6: return array(depth);
      case 7: return object(depth);
      case 8: return nested(depth);
      case 9: return binary();
      default: return byte() == 0 ? json(json::value_t::discarded) : json(text());
    }
  }

 private:
  // Returns the next `n` bytes, fewer at the end.
  std::string_view take(std::size_t n) {
    const std::string_view taken = bytes_.substr(0, n);
    bytes_.remove_prefix(taken.size());
    return taken;
  }

  unsigned char byte() {
    const std::string_view taken = take(1);
    return taken.empty() ? 0 : static_cast<unsigned char>(taken[0]);
  }

  template <class Number>
  json number() {
    Number number{};
    const std::string_view taken = take(sizeof(Number));
    std::memcpy(&number, taken.data(), taken.size());
    return number;
  }

  std::string text() { return std::string(take(byte())); }

  json array(std::size_t depth) {
    json array = json::array();
    for (int left = byte() % 8; left > 0; --left) array.push_back(next(depth + 1));
    return array;
  }

  json object(std::size_t depth) {
    json object = json::object();
    for (int left = byte() % 8; left > 0; --left) {
      std::string key = text();
      object[std::move(key)] = next(depth + 1);
    }
    return object;
  }

  // Returns a value nested a few levels deep, or about as deep as max_depth allows by default.
  json nested(std::size_t depth) {
    const std::size_t number = byte();
    const std::size_t levels = std::min(number < 250 ? number % 16 : 750 + number, deepest - depth);
    json value = next(depth + levels);
    for (std::size_t level = 0; level < levels; ++level) {
      json outer = json::array();
      outer.push_back(std::move(value));
      value = std::move(outer);
    }
    return value;
  }

  json binary() {
    const std::string_view taken = take(byte());
    json::binary_t bytes(std::vector<std::uint8_t>(taken.begin(), taken.end()));
    if (byte() % 2 == 1) bytes.set_subtype(byte());
    return json(std::move(bytes));
  }

  static constexpr std::size_t deepest = 1100;

  std::string_view bytes_;
};
