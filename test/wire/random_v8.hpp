#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>

#include <nlohmann/json.hpp>

// A generator of values of all types of V8's format, except references. Each is what it is after it
// was written and read again, even by Node. The same seed gives the same values on every machine.
class RandomV8 {
 public:
  // Node 18 has no ArrayBuffers that can be resized, and no flag "v".
  explicit RandomV8(std::uint64_t seed, bool for_node_18 = false)
      : random_(seed), for_node_18_(for_node_18) {}

  nlohmann::json next() { return value(0); }

  std::size_t below(std::size_t limit) { return random_() % limit; }

 private:
  nlohmann::json value(std::size_t depth);
  nlohmann::json leaf();
  nlohmann::json number();
  nlohmann::json integer();
  nlohmann::json bigint();
  nlohmann::json boxed();
  nlohmann::json bytes();
  nlohmann::json regexp();
  nlohmann::json container(std::size_t depth);
  nlohmann::json object(std::size_t depth);
  nlohmann::json array(std::size_t depth);
  nlohmann::json sparse_array(std::size_t depth);
  nlohmann::json map(std::size_t depth);
  nlohmann::json set(std::size_t depth);
  nlohmann::json error(std::size_t depth);
  nlohmann::json resizable();

  // Returns a key of a Map or a value of a Set that no other of this generator is equal to.
  nlohmann::json unique(std::size_t depth);
  std::string text();
  std::string key();

  std::mt19937_64 random_;
  bool for_node_18_;
  std::uint64_t last_unique_ = 0;
};
