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

#include "base/descriptor.hpp"
#include "tine/channel.hpp"
#include "wire/codec.hpp"
#include "wire/frame_decoder.hpp"

namespace tine::channel {

// The form in which messages are wanted at the moment.
enum class Wanted {
  nothing,  // no listener: messages are stored
  text,     // all listeners take the text
  value,
};

// A buffer of what came in and is not delivered yet: bytes, the descriptors beside them, and
// messages that wait for a listener.
//
// A read that brings a descriptor ends with the bytes that the descriptor came beside. Its frame has
// begun by then, so no later frame owns it. Therefore the oldest descriptor belongs to the first
// frame that announces one, and a descriptor that none of its possible frames claimed is stray.
class Inbox {
 public:
  Inbox(wire::Codec& codec, const ChannelOptions& options);

  // room() returns space for the next read. advance() counts the bytes that were read into it.
  std::span<char> room();
  void advance(std::size_t n);

  // Takes the descriptors that came beside the bytes that advance() counts next. Returns false if
  // some are left in `came`: more would wait than ChannelOptions::descriptor_limit allows, or
  // memory ran out.
  bool take(std::span<base::Descriptor> came) noexcept;

  // The next thing to deliver, in order of arrival. Views and the value are valid until the next
  // call of next() or room().
  enum class Kind { nothing, message, internal, bad, overflow };
  struct Item {
    Kind kind = Kind::nothing;
    std::string_view content = {};  // of its frame, if it is a message or an internal one
    // Its JSON text. Null if the content is something else and no text was wanted.
    std::string_view text = {};
    std::string_view command = {};             // of an internal message
    bool stored = false;                       // has waited for a listener
    std::optional<wire::BadMessage> bad = {};  // the first of consecutive bad ones
    std::size_t bad_frames = 0;
    bool gave_way = false;  // more bad ones may follow, but this took long enough
  };
  //
  // If `parse`, new messages are read and returned whatever is wanted; store_last() puts the last
  // one among those that wait for a listener.
  Item next(Wanted wanted, bool parse = false) {
    return wanted != Wanted::text || content_is_text_ ? next_as(wanted, parse) : next_text(parse);
  }
  void store_last();

  // Returns whether the overflow means that the peer uses another serialization.
  bool foreign() const { return decoder_.foreign(); }

  // Returns the value of the item. For a message, only if values were wanted.
  nlohmann::json& value() { return value_; }

  // Returns the JSON text of the last item, whatever was wanted. Empty if memory runs out.
  std::string_view text(const Item& item) noexcept;

  // Returns the `count` descriptors that the item, an internal message, announces. Empty if fewer
  // have come.
  std::vector<base::Descriptor> descriptors_of(const Item& item, std::size_t count);

  // Takes back the last item, which was not stored: next() will return it again.
  void put_back() { decoder_.put_back(); }

  // Stores the last item, an internal message, and its descriptors until there is a listener.
  void store_last(std::vector<base::Descriptor>& beside);

  // Closes the descriptors that belong to none of the frames still to come.
  void close_stray();

  // Returns whether nothing more may come in until there is a listener.
  bool full() const;

  // Drops the messages that wait for a listener.
  void drop_stored();

  // Returns whether a complete frame waits to be delivered.
  bool has_frame() { return stored_.has_frame() || decoder_.has_frame(); }

  // Returns the number of bytes of the last frame, which is incomplete.
  std::size_t unfinished() const { return decoder_.unfinished(); }

  // Returns the number of bytes that wait to be delivered, those of an incomplete frame included.
  std::size_t stored() const { return stored_.pending() + decoder_.pending(); }

 private:
  Item next_as(Wanted wanted, bool parse);
  Item next_text(bool parse);
  Item item_of(std::string_view content, std::string_view command = {}) const;
  Item read(wire::FrameDecoder& from, std::string_view content);
  Item read_bad_frames(wire::FrameDecoder& from, wire::BadMessage first);
  Item look_for_internal(std::string_view content);
  void keep_last();
  std::uint64_t delivered() const { return came_in_ - decoder_.pending(); }

  struct Beside {
    base::Descriptor descriptor;
    std::uint64_t end;  // of the bytes it came with, among all bytes
  };

  wire::Codec& codec_;
  const bool content_is_text_;
  wire::FrameDecoder decoder_;
  wire::FrameDecoder stored_;  // messages, and frames that announce a handle
  std::size_t stored_limit_;
  std::deque<std::vector<base::Descriptor>> stored_beside_;  // descriptors of those frames
  std::deque<Beside> beside_;
  std::size_t descriptor_limit_;
  std::uint64_t came_in_ = 0;  // bytes received in total
  nlohmann::json value_;       // each message is read over the previous one
  bool more_came_in_ = false;
  bool overflow_told_ = false;
};

}  // namespace tine::channel
