#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "tine/channel.hpp"
#include "uv/descriptor.hpp"
#include "wire/json_reader.hpp"
#include "wire/line_decoder.hpp"

namespace tine::channel {

// In which form messages are wanted now.
enum class Wanted {
  nothing,  // nobody listens: they are stored
  text,     // every listener takes the text
  value,
};

// What came in and is not delivered yet: bytes, the descriptors beside them, and messages that wait for a
// listener.
//
// The kernel gives a descriptor with bytes of which the last came with it: it belongs to a line that has
// begun by then, and none that begins later. So the first that came belongs to the first line that
// tells of one, and what all its lines have left is astray.
class Inbox {
 public:
  explicit Inbox(const ChannelOptions& options);

  // Where to read to, and how much was read.
  std::span<char> room();
  void advance(std::size_t n);

  // Takes descriptors that came beside the bytes that advance() will count next. False: some are left
  // where they were, because more would wait than ChannelOptions::descriptor_limit, or for want of memory.
  bool take(std::span<uv::Descriptor> came) noexcept;

  // What is to be told next, in the order it came. Views and the value are valid until the next
  // call of next() or room().
  enum class Kind { nothing, message, internal, bad, overflow };
  struct Item {
    Kind kind = Kind::nothing;
    std::string_view text = {};             // message and internal
    std::string_view command = {};          // internal
    bool stored = false;                    // it has waited for a listener
    std::optional<wire::BadJson> bad = {};  // the first of bad lines that follow each other
    std::size_t bad_lines = 0;
    bool gave_way = false;  // there may be more of them, but this took long enough
  };
  Item next(Wanted wanted);

  // The value of the item; of a message only if values were wanted.
  nlohmann::json& value() { return value_; }

  // The descriptors of the item, an internal message that tells of that many. Empty: there are not as
  // many.
  std::vector<uv::Descriptor> descriptors_of(const Item& item, std::size_t count);

  // Lets the item, an internal message, wait for a listener, with what came beside it.
  void store(const Item& item, std::vector<uv::Descriptor>& beside);

  // Closes the descriptors that belong to none of the lines which are still to come.
  void close_stray();

  // Whether no more may come in until there is a listener.
  bool full() const;

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
  std::string_view command_in(std::string_view line);
  void store(std::string_view line);
  std::uint64_t told() const { return came_in_ - decoder_.pending(); }

  struct Beside {
    uv::Descriptor descriptor;
    std::uint64_t end;  // of the bytes it came with, among all
  };

  wire::LineDecoder decoder_;
  wire::LineDecoder stored_;  // messages, and lines that tell of a handle
  std::size_t stored_limit_;
  std::deque<std::vector<uv::Descriptor>> stored_beside_;  // those lines
  std::deque<Beside> beside_;
  std::size_t descriptor_limit_;
  std::uint64_t came_in_ = 0;  // bytes, in all
  wire::JsonReader reader_;
  nlohmann::json value_;  // each message is read over the one before it
  bool more_came_in_ = false;
  bool overflow_told_ = false;
};

}  // namespace tine::channel
