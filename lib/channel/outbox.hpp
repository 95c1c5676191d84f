#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <system_error>

#include <nlohmann/json_fwd.hpp>

#include "tine/channel.hpp"
#include "tine/error.hpp"
#include "tine/message.hpp"
#include "wire/byte_buffer.hpp"
#include "wire/json_reader.hpp"
#include "wire/recent_need.hpp"

namespace tine::channel {

// What was sent and is not written yet: the bytes, and who wants to know.
//
// There is no record of a single message, only one for each callback: bytes are counted from the
// first ever accepted, and a message is written when the count of written bytes passes its end.
class Outbox {
 public:
  explicit Outbox(const ChannelOptions& options);

  // Appends a message, and takes its callback, if it has one. An error: it was refused, and nothing
  // is changed or taken; as it is when memory runs out.
  std::optional<Error> add(const nlohmann::json& message, SendCallback& sent);
  std::optional<Error> add(Text message, SendCallback& sent);

  // Bytes that are accepted and not written.
  std::size_t queued() const { return filling_.size() + writing_.size() - front_; }

  // The text of the message that was added last, if no other call came between.
  std::string_view last() const {
    return filling_.view().substr(last_, filling_.size() - last_ - 1);
  }

  // The bytes to be written next. They stay where they are until written() has counted them all.
  std::string_view front();

  // Counts bytes of front() as written.
  void written(std::size_t n) noexcept;

  // Gives up what is queued. Nothing may be added any more. How many messages have no callback.
  std::size_t cancel(std::error_code why) noexcept;

  // Drops all callbacks without a call.
  void drop_callbacks() noexcept;

  // How many callbacks are due: their messages are written, or given up.
  std::size_t due() const { return due_; }
  // Calls the first of them, which may throw what it likes; it has had its call then.
  void call_first_due();

 private:
  void all_written() noexcept;
  std::optional<Error> accept(wire::Appending& appending, SendCallback& sent);

  std::size_t max_depth_;
  std::size_t limit_;
  wire::JsonReader checker_;

  wire::ByteBuffer filling_;  // appended to
  std::size_t last_ = 0;      // where in it the last message begins
  wire::ByteBuffer writing_;  // being written; nothing is appended, so it stays in place
  std::size_t front_ = 0;     // up to here writing_ is written
  wire::RecentNeed need_;

  struct Waiting {
    std::uint64_t end;
    SendCallback sent;
  };
  std::deque<Waiting> waiting_;
  std::size_t due_ = 0;  // of them, from the front on
  std::uint64_t written_ = 0;
  std::error_code cancelled_because_;
};

}  // namespace tine::channel
