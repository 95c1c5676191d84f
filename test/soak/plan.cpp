#include "soak/plan.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>

namespace {

constexpr std::array<std::string_view, endings> names{
    "disconnect", "kill", "child_disconnects", "child_runs_dry", "child_exits", "child_aborts"};

// The length of the random characters that all texts repeat. It is a prime, so that a shift by the
// size of a buffer is noticed.
constexpr std::uint32_t period = 65'521;

const std::string& printable_text() {
  static const std::string text = [] {
    Random random(0);
    std::string characters(period, '\0');
    for (char& each : characters) each = static_cast<char>(' ' + random.below('~' - ' ' + 1));
    return characters;
  }();
  return text;
}

std::string text_of(std::size_t size, std::uint32_t begin) {
  std::string text = "\u00e9\n\"\\\U0001F600";
  const std::size_t whole = text.size() + size;
  text.reserve(whole);
  text.append(printable_text(), begin);
  while (text.size() < whole) text += printable_text();
  text.resize(whole);
  return text;
}

std::uint32_t size_of(Random& random) {
  constexpr std::uint32_t largest = 10'000'000;
  constexpr std::uint32_t orders = 23;  // powers of two
  const bool any = random.below(32) == 0;
  const std::uint32_t order = 1 + random.below(any ? orders : orders / 2);
  const std::uint32_t least = std::uint32_t{1} << order;
  return std::min(least + random.below(least), largest);
}

}  // namespace

nlohmann::json Messages::next() {
  constexpr std::uint32_t frame = 40;  // about what an object needs beside its text
  const std::uint32_t size = size_of(random_);
  const std::uint64_t number = number_++;
  bytes_ += size;
  if (size < frame) return size < 10 ? number % 10 : number;
  return {{"number", number}, {"text", text_of(size - frame, random_.below(period))}};
}

std::string_view name_of(Ending ending) { return names.at(static_cast<std::size_t>(ending)); }

Ending ending_named(std::string_view name) {
  const auto* const found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) throw std::invalid_argument("no such ending");
  return static_cast<Ending>(found - names.begin());
}

Life::Life(Random& random)
    : seed(random.below(2'000'000'000)),
      ending(static_cast<Ending>(random.below(endings))),
      steps(1 + static_cast<int>(random.below(12))) {}
