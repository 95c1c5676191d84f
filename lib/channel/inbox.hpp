#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "tine/channel.hpp"
#include "wire/json_reader.hpp"
#include "wire/line_decoder.hpp"

namespace tine::channel {

// In which form messages are wanted now.
enum class Wanted {
  nothing,  // nobody listens: they are stored
  text,     // every listener takes the text
  value,
};

// What came in and is not delivered yet: bytes, and messages that wait for a listener.
class Inbox {
 public:
  explicit Inbox(const ChannelOptions& options);

  // Where to read to, and how much was read.
  std::span<char> room();
  void advance(std::size_t n);

  // What is to be told next, in the order it came. Views and the value are valid until the next
  // call of next() or room().
  enum class Kind { nothing, message, internal, bad, overflow };
  struct Item {
    Kind kind = Kind::nothing;
    std::string_view text = {};             // message and internal
    std::string_view command = {};          // internal
    std::optional<wire::BadJson> bad = {};  // the first of bad lines that follow each other
    std::size_t bad_lines = 0;
    bool gave_way = false;  // there may be more of them, but this took long enough
  };
  Item next(Wanted wanted);

  // The value of the item; of a message only if values were wanted.
  nlohmann::json& value() { return value_; }

  // Forgets the messages that wait for a listener.
  void drop_stored();

  // Whether a complete line waits to be told.
  bool has_line() { return stored_.has_line() || decoder_.has_line(); }

  // Bytes of the last line, which has not ended yet.
  std::size_t unfinished() const { return decoder_.unfinished(); }

  // Bytes that wait for a listener, those of an unfinished line included.
  std::size_t stored() const { return stored_.pending() + decoder_.pending(); }

 private:
  Item read(wire::LineDecoder& from, std::string_view line);
  Item read_bad_lines(wire::LineDecoder& from, wire::BadJson first);
  Item look_for_internal(std::string_view line);
  void store(std::string_view line);

  wire::LineDecoder decoder_;
  wire::LineDecoder stored_;  // messages, without what is internal
  wire::JsonReader reader_;
  nlohmann::json value_;  // each message is read over the one before it
  bool more_came_in_ = false;
  bool overflow_told_ = false;
};

}  // namespace tine::channel
