#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "wire/recent_need.hpp"

namespace tine::wire {

// Why a text is not a message, and where.
struct BadJson {
  std::size_t offset;  // bytes from the start of the text
  std::string reason;
  std::string excerpt;  // what stands around the offset, printable

  // "at byte 5: unexpected ','; expected '[', '{', or a literal, near `{"a":,}`"
  std::string text() const;
};

// The cut of `text` around `offset` that an error shows: short, and printable whatever is in it.
std::string excerpt(std::string_view text, std::size_t offset);

// Reads JSON texts into values, each over the one before it.
//
// A value that is read over another one of the same shape keeps its nodes and capacities, so a
// stream of like messages is read without allocating. simdjson parses; what it refuses is put
// before nlohmann's parser, because Node may legally send some of it: integers beyond 64 bits (read
// as double) and lone surrogate escapes (read as U+FFFD). FORMAT.md has the list.
class JsonReader {
 public:
  // The deepest nesting that a setting can allow: reading, writing, copying and destroying a value
  // use the stack.
  static constexpr std::size_t deepest = 10'000;

  explicit JsonReader(std::size_t max_depth);
  ~JsonReader();

  // Lines, each with its '\n', that will be read next, and stay in place until another call: they are
  // read faster then. None: what was expected is so no more.
  void expect(std::string_view lines);

  // Reads `text` into `value`. If it is bad, `value` is left as some valid value.
  // `wire::padding` bytes behind the text must be readable.
  std::optional<BadJson> read(std::string_view text, nlohmann::json& value);

  // The same without making a value.
  std::optional<BadJson> check(std::string_view text);

 private:
  class Parser;

  Parser& parser();
  std::optional<BadJson> arbitrate(std::string_view text, nlohmann::json& value) const;
  void release_if_oversized(std::size_t text_size, nlohmann::json& value);

  std::size_t max_depth_;
  std::unique_ptr<Parser> parser_;
  RecentNeed need_;
};

}  // namespace tine::wire
