#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

// A generator of JSON texts whose shapes change little from one text to the next: members are
// permuted, dropped, added, repeated, or get another type. The same seed gives the same texts on
// every machine.
class RandomJson {
 public:
  static constexpr std::size_t small = 4;

  // Objects and arrays have up to `most_members` members.
  explicit RandomJson(std::uint64_t seed, std::size_t most_members = 45)
      : random_(seed), most_members_(most_members) {}

  std::string next_text();

  // Returns a random number below `limit`.
  std::size_t below(std::size_t limit) { return random_() % limit; }
  std::uint64_t bits() { return random_(); }

  // Returns the text with damage in one or two places.
  std::string mutated(std::string text);

 private:
  struct Shape {
    char type = '0';                // the first character of the text; '0': no shape yet
    std::vector<std::string> keys;  // keys of an object
    std::vector<Shape> children;    // members of an object or array
  };

  Shape new_shape(std::size_t depth);
  void add_child(Shape& shape, std::size_t depth);
  void change(Shape& shape, std::size_t depth);
  void change_members(Shape& shape, std::size_t depth);
  std::string text_of(const Shape& shape);
  std::string string_text();
  std::string number_text();
  std::string blank() { return below(20) == 0 ? " \n" : ""; }

  std::mt19937_64 random_;
  std::size_t most_members_;
  Shape shape_;
};

// Returns whether two values are equal, including number types. Only an integer zero may be either
// signed or unsigned, because nlohmann's parser distinguishes "-0" from "0".
bool same(const nlohmann::json& left, const nlohmann::json& right);
