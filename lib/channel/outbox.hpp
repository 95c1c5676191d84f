#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "channel/passed_handle.hpp"
#include "tine/channel.hpp"
#include "tine/error.hpp"
#include "tine/message.hpp"
#include "uv/descriptor.hpp"
#include "wire/byte_buffer.hpp"
#include "wire/json_reader.hpp"
#include "wire/recent_need.hpp"

namespace tine::channel {

// What was sent and is not written yet: the bytes, and who wants to know.
//
// There is no record of a single message, only one for each callback: bytes are counted from the
// first ever accepted, and a message is written when the count of written bytes passes its end.
//
// A message with a handle has a line of its own. All behind it waits until the peer has said what became
// of the handle; but what we say of the peer's handles does not, else both ends could wait.
class Outbox {
 public:
  explicit Outbox(const ChannelOptions& options);

  // Whose message it is: nobody is told what became of the channel's own, and they do not count as lost.
  enum class From { user, channel };

  // Appends a message, and takes its callback, if it has one. An error: it was refused, and nothing
  // is changed or taken; as it is when memory runs out.
  std::optional<Error> add(const nlohmann::json& message, SendCallback& sent,
                           From from = From::user);
  std::optional<Error> add(Text message, SendCallback& sent, From from = From::user);
  // The same with a handle beside it, which is taken with the callback.
  std::optional<Error> add(const nlohmann::json& message, PassedHandle& handle, SendCallback& sent,
                           From from = From::user);
  std::optional<Error> add(Text message, PassedHandle& handle, SendCallback& sent,
                           From from = From::user);

  // The peer is Bun, which takes the channel's own lines only with its mark in front.
  void mark_own_lines() { marks_own_lines_ = true; }

  // Says what became of a handle of the peer's: a line of the channel's own, which comes before all
  // others.
  void answer(std::string_view line) { answers_ += line; }

  // Bytes that are accepted and not written.
  std::size_t queued() const { return filling_.size() + writing_.size() - front_ + unwritten_; }

  // Nothing is to be written, now or when a handle has arrived.
  bool empty() const { return queued() == 0 && handles_.empty() && answers_.empty(); }

  // The text of the message that was added last, if no other call came between.
  std::string_view last() const { return last_; }

  // The bytes to be written next, those to follow at once, and the descriptors to go beside the first of
  // them. They stay where they are until written() has counted them all. No bytes: there are none, or they
  // have to wait.
  struct Piece {
    std::string_view bytes = {};
    std::string_view then = {};
    std::span<const uv::Descriptor> beside = {};
  };
  Piece front();

  // Counts bytes of what front() gave last as written.
  void written(std::size_t n) noexcept;

  // A handle is written, and the peer has not said what became of it.
  bool awaits_answer() const;

  // What it said, and what follows: that it was not asked; that the handle is there; that it is to be
  // written again; that this was the last time.
  enum class Answered { unasked, arrived, again, lost };
  Answered answered(bool arrived) noexcept;

  // Gives up the handle that is first, whose answer does not come.
  void forget_handle() noexcept { handles_.pop_front(); }

  // The same of one that cannot be written, and of its message. Whether that has a callback, which is
  // told why.
  bool cancel_handle(std::error_code why) noexcept;

  // PassedHandle::refused of the handles that have been given up, except where the peer may still get
  // them.
  std::deque<std::function<void()>> take_refused() { return std::exchange(refused_, {}); }
  bool has_refused() const { return !refused_.empty(); }

  // Whether the peer knows what only tine knows. Until that is said such handles wait.
  enum class Peer { unknown, tine, other };
  void set_peer(Peer peer) { peer_ = peer; }
  // The handle that is first is one that this peer does not know, or may not know.
  bool handle_unknown_to_peer() const { return for_tine_only() && peer_ == Peer::other; }
  bool awaits_peer() const { return for_tine_only() && peer_ == Peer::unknown; }

  // Gives up what is queued. Nothing may be added any more. How many messages of the user's that is.
  struct Lost {
    std::size_t messages = 0;
    std::size_t without_callback = 0;
  };
  Lost cancel(std::error_code why) noexcept;

  // Drops all callbacks without a call.
  void drop_callbacks() noexcept;

  // How many callbacks are due: their messages are written, or given up.
  std::size_t due() const { return due_; }
  // Calls the first of them, which may throw what it likes; it has had its call then.
  void call_first_due();

 private:
  // A message with a handle. Written again, its line counts no more.
  struct Passing {
    std::uint64_t begin;  // of the line, among all bytes
    std::string line = {};
    std::vector<uv::Descriptor> descriptors = {};
    std::function<void()> refused = {};
    bool for_tine_only = false;
    std::size_t written = 0;  // of the line, this time
    int times = 1;

    std::uint64_t end() const { return begin + line.size(); }
    bool all_written() const { return written == line.size(); }
  };

  // A message that has a callback, or is the channel's own, which has none.
  struct Waiting {
    std::uint64_t end;
    SendCallback sent = {};
    std::error_code failed = {};  // the message has, alone
  };

  // Where the bytes come from that are to be written next.
  enum class Source { answers, handle, messages };

  std::optional<Error> append(const nlohmann::json& message);
  std::optional<Error> append(Text message);
  template <class Message>
  std::optional<Error> add_message(const Message& message, SendCallback& sent, From from);
  template <class Message>
  std::optional<Error> add_with_handle(const Message& message, PassedHandle& handle,
                                       SendCallback& sent, From from);
  std::optional<Error> refusal(std::size_t others, std::size_t size) const;

  bool at_handle() const { return !handles_.empty() && handles_.front().begin <= written_; }
  bool for_tine_only() const { return at_handle() && handles_.front().for_tine_only; }
  void handle_refused() noexcept;
  bool at_line_begin() const;
  Source source() const;
  std::string_view next_messages();
  void all_written() noexcept;
  void count(std::size_t n) noexcept;

  std::size_t max_depth_;
  std::size_t limit_;
  wire::JsonReader checker_;

  // Two buffers in turn, each with what was needed of it.
  wire::ByteBuffer filling_;  // appended to
  wire::RecentNeed filling_need_;
  std::string_view last_;
  bool marks_own_lines_ = false;
  wire::ByteBuffer writing_;  // being written; nothing is appended, so it stays in place
  wire::RecentNeed writing_need_;
  std::size_t front_ = 0;  // up to here writing_ is written

  std::deque<Passing> handles_;
  std::size_t unwritten_ = 0;  // bytes of their lines
  std::deque<std::function<void()>> refused_;
  Peer peer_ = Peer::unknown;

  std::string answers_;
  std::size_t answers_written_ = 0;

  std::deque<Waiting> waiting_;
  std::size_t due_ = 0;  // of them, from the front on
  std::uint64_t written_ = 0;
  std::error_code cancelled_because_;
};

}  // namespace tine::channel
