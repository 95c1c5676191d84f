// What a soak does. All of it follows from the seed, none of it from time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string_view>

#include <nlohmann/json.hpp>

// Numbers that are the same on every machine, and in child.js.
class Random {
 public:
  explicit Random(std::uint32_t seed) : engine_(seed % (std::minstd_rand::modulus - 1) + 1) {
    engine_.discard(10);  // seeds beside each other begin alike
  }
  std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>(engine_() % bound); }

 private:
  std::minstd_rand engine_;
};

// What one side sends, in order. The other side has the same sequence, and compares.
//
// Of about 2 bytes to 10 MB, each order of magnitude as often as any other. But most are from the
// small half, so that there are many.
class Messages {
 public:
  explicit Messages(std::uint32_t seed) : random_(seed) {}

  nlohmann::json next();
  // About as many as all messages until now had.
  std::uint64_t bytes() const { return bytes_; }

 private:
  Random random_;
  std::uint64_t number_ = 0;
  std::uint64_t bytes_ = 0;
};

// How a child comes to its end.
enum class Ending {
  disconnect,  // the parent disconnects, and the child runs dry
  kill,        // the parent kills it
  child_disconnects,
  child_runs_dry,  // it drops its listeners
  child_exits,     // by Process::exit()
  child_aborts,    // by _Exit()
};
inline constexpr int endings = 6;
std::string_view name_of(Ending ending);
Ending ending_named(std::string_view name);

// Exit codes of a child.
inline constexpr int aborted = 21;
inline constexpr int exited = 22;

// One child, from fork to "close".
struct Life {
  explicit Life(Random& random);

  std::uint32_t seed;
  Ending ending;
  int steps;  // of who ends it; the other side goes on until then

  // Each side has a sequence of messages, and one of decisions.
  std::uint32_t parents_messages() const { return seed; }
  std::uint32_t childs_messages() const { return seed + 1; }
  std::uint32_t parents_decisions() const { return seed + 2; }
  std::uint32_t childs_decisions() const { return seed + 3; }
  bool ended_by_parent() const { return ending == Ending::disconnect || ending == Ending::kill; }
};
