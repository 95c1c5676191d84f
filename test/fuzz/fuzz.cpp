#include "fuzz/fuzz.hpp"

#include <cstdio>
#include <cstdlib>
#include <limits>

void must(bool holds, std::string_view what) {
  if (holds) [[likely]]
    return;
  std::fprintf(stderr, "broken: %.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

// The address of an empty input may be null.
Input::Input(const std::uint8_t* data, std::size_t size)
    : rest_(size == 0 ? "" : reinterpret_cast<const char*>(data), size) {}

std::size_t Input::setting() {
  if (rest_.empty()) return 0;
  const auto byte = static_cast<unsigned char>(rest_.front());
  rest_.remove_prefix(1);
  return static_cast<unsigned char>(byte - '0');
}

std::string_view Input::bytes() {
  if (!rest_.empty()) rest_.remove_prefix(1);
  return rest_;
}

std::size_t Pieces::next() {
  if (setting_ == 0) return std::numeric_limits<std::size_t>::max();
  if (setting_ == 2) return state_ = state_ == 137 ? 143 : 137;
  state_ = state_ * 1'103'515'245 + 12'345;
  return 1 + (state_ >> 16) % setting_;
}
