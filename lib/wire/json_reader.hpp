#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "base/recent_need.hpp"
#include "wire/bad_message.hpp"

namespace tine::wire {

// A reader of JSON texts that reads each value over the one before it.
//
// A value that has the same shape as the one it overwrites reuses its nodes and capacities, so a
// stream of similar messages is read without allocating. simdjson parses. nlohmann's parser gets
// what simdjson rejects, because Node may legally send some of it: integers beyond 64 bits (read as
// double) and lone surrogate escapes (read as U+FFFD). FORMAT.md has the full list.
class JsonReader {
 public:
  // The deepest nesting that an option can allow: reading, writing, copying and destroying a value
  // use stack space for each level.
  static constexpr std::size_t deepest = 10'000;

  explicit JsonReader(std::size_t max_depth);
  ~JsonReader();

  // Announces the lines that will be read next, each with its '\n', so that they are parsed
  // together, which is faster. They must stay in place until the next call of expect(). Empty
  // cancels the expectation.
  void expect(std::string_view lines);

  // Reads `text` into `value`. Returns the error if the text is bad; `value` is then left as some
  // valid value. `base::padding` bytes behind the text must be readable.
  std::optional<BadMessage> read(std::string_view text, nlohmann::json& value);

  // Checks `text` as read() does, without making a value.
  std::optional<BadMessage> check(std::string_view text);

 private:
  class Parser;

  Parser& parser();
  std::optional<BadMessage> deep_at_its_start(std::string_view text) const;
  std::optional<BadMessage> arbitrate(std::string_view text, nlohmann::json& value) const;
  bool release_if_oversized(std::size_t text_size);

  std::size_t max_depth_;
  std::unique_ptr<Parser> parser_;
  base::RecentNeed need_;
};

}  // namespace tine::wire
