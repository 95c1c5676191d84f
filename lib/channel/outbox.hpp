#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "tine/channel.hpp"
#include "tine/error.hpp"
#include "tine/message.hpp"
#include "wire/byte_buffer.hpp"
#include "wire/json_reader.hpp"

namespace tine::channel {

// What was sent and is not written yet: the bytes, and who wants to know.
//
// There is no record of a single message, only one for each callback: bytes are counted from the
// first ever accepted, and a message is written when the count of written bytes passes its end.
class Outbox {
 public:
  explicit Outbox(const ChannelOptions& options);

  // Appends a message. An error: it was refused, and nothing is changed.
  std::optional<Error> add(const nlohmann::json& message);
  std::optional<Error> add(Text message);

  // Calls back for the message that was added last.
  void call_back(SendCallback sent);

  // Bytes that are accepted and not written.
  std::size_t queued() const { return filling_.size() + writing_.size() - front_; }

  // The bytes to be written next. They stay where they are until written() has counted them all.
  std::string_view front();

  // Counts bytes of front() as written. What is returned are the callbacks of messages that went
  // out.
  std::vector<SendCallback> written(std::size_t n);

  // Gives up what is queued, and tells whom to report it to.
  struct Cancelled {
    std::vector<SendCallback> callbacks;
    std::size_t without_callback = 0;  // messages
  };
  Cancelled cancel();

 private:
  std::optional<Error> accept(wire::Appending& appending);

  std::size_t max_depth_;
  std::size_t limit_;
  wire::JsonReader checker_;

  wire::ByteBuffer filling_;  // appended to
  wire::ByteBuffer writing_;  // being written; nothing is appended, so it stays in place
  std::size_t front_ = 0;     // up to here writing_ is written

  struct Waiting {
    std::uint64_t end;
    SendCallback sent;
  };
  std::deque<Waiting> waiting_;
  std::uint64_t written_ = 0;
};

}  // namespace tine::channel
