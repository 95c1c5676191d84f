// The plan of a soak. It depends only on the seed, and not on time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string_view>

#include <nlohmann/json.hpp>

// A generator of random numbers. They are the same on every machine and in child.js.
class Random {
 public:
  explicit Random(std::uint32_t seed) : engine_(seed % (std::minstd_rand::modulus - 1) + 1) {
    engine_.discard(10);  // because adjacent seeds start with similar numbers
  }
  std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>(engine_() % bound); }

 private:
  std::minstd_rand engine_;
};

// The sequence of messages that one side sends. The other side makes the same sequence and compares
// the messages with it.
//
// Sizes range from about 2 bytes to 10 MB, and each power of two is equally likely. But most
// messages take only the smaller half of these powers, so that there can be many messages.
class Messages {
 public:
  explicit Messages(std::uint32_t seed) : random_(seed) {}

  nlohmann::json next();
  // Returns the approximate size of all messages so far.
  std::uint64_t bytes() const { return bytes_; }

 private:
  Random random_;
  std::uint64_t number_ = 0;
  std::uint64_t bytes_ = 0;
};

// How a child ends.
enum class Ending {
  disconnect,  // the parent disconnects, and the child's loop runs dry
  kill,        // the parent kills it
  child_disconnects,
  child_runs_dry,  // the child drops its listeners
  child_exits,     // by Process::exit()
  child_aborts,    // by _Exit()
};
inline constexpr int endings = 6;
std::string_view name_of(Ending ending);
Ending ending_named(std::string_view name);

// Exit codes of a child.
inline constexpr int aborted = 21;
inline constexpr int exited = 22;

// The life of one child, from fork to "close".
struct Life {
  explicit Life(Random& random);

  std::uint32_t seed;
  Ending ending;
  int steps;  // actions of the side that ends it; the other side goes on until then

  // Seeds: each side has one for its messages and one for its decisions.
  std::uint32_t parents_messages() const { return seed; }
  std::uint32_t childs_messages() const { return seed + 1; }
  std::uint32_t parents_decisions() const { return seed + 2; }
  std::uint32_t childs_decisions() const { return seed + 3; }
  bool ended_by_parent() const { return ending == Ending::disconnect || ending == Ending::kill; }
};
