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

#include "base/byte_buffer.hpp"
#include "base/descriptor.hpp"
#include "base/value_ref.hpp"
#include "channel/passed_handle.hpp"
#include "tine/channel.hpp"
#include "tine/error.hpp"
#include "tine/send_callback.hpp"
#include "tine/text.hpp"
#include "uv/write_queue.hpp"
#include "wire/codec.hpp"

namespace tine::channel {

// A queue of sent messages that are not written yet: their bytes, their send callbacks, and the
// handles beside them.
//
// A message with a handle is kept apart, as a frame of its own. Everything behind it waits until the
// peer has answered for the handle. Our answers to the peer's handles do not wait, or both ends
// could block each other.
class Outbox {
 public:
  Outbox(wire::Codec& codec, const ChannelOptions& options);

  // Whose message it is. The outcome of the channel's own messages is not reported, and they do
  // not count as lost.
  using From = wire::From;

  // Appends a message and takes its callback, if any. Returns an error if the message is refused:
  // nothing is changed or taken then. If memory runs out, nothing is queued either.
  std::optional<Error> add(base::ValueRef message, SendCallback& sent, From from = From::user);
  std::optional<Error> add(Text message, SendCallback& sent, From from = From::user);
  // Does the same with a handle, which is taken together with the callback.
  std::optional<Error> add(base::ValueRef message, PassedHandle& handle, SendCallback& sent,
                           From from = From::user);
  std::optional<Error> add(Text message, PassedHandle& handle, SendCallback& sent,
                           From from = From::user);

  // Queues the answer to a handle of the peer's: a frame of the channel's own that precedes all
  // others.
  void answer(wire::Answer answer);

  // Returns the number of bytes that are accepted and not written yet.
  std::size_t queued() const { return queue_.queued(); }
  // Returns queued(), plus the bytes that the handles among these messages keep in memory.
  std::size_t backlog() const { return queued() + memory_; }

  // Returns whether nothing is left to write, now or after the answer to a handle.
  bool empty() const { return queued() == 0 && handles_.empty() && answers_.empty(); }

  // Returns the JSON text of the message or answer that was added last, for a trace: empty if memory
  // runs out. Valid until the next call.
  std::string_view last() noexcept;

  // The bytes to write next, the bytes that follow at once, and the descriptors to send beside the
  // first byte. All stay in place until written() has counted them. `bytes` is empty if there is
  // nothing to write, or if it has to wait.
  struct Piece {
    std::string_view bytes = {};
    std::string_view then = {};
    std::span<const base::Descriptor> beside = {};
  };
  Piece front();

  // Counts `n` bytes of the last front() as written.
  void written(std::size_t n) noexcept;

  // Returns whether a handle is written and the peer has not answered for it yet.
  bool awaits_answer() const;

  // Queues a ping: a line that the peer's loop answers as if its handle had not arrived. Returns
  // false if the queue is full. Must not be called while there are handles or a ping is unanswered:
  // the peer would take the handle of the line behind a ping for that of the ping.
  bool ping();
  bool has_handles() const { return !handles_.empty(); }
  bool ping_unanswered() const { return ping_unanswered_; }
  // Returns whether the first handle waits for the answer to a ping.
  bool awaits_pong() const { return ping_unanswered_ && at_handle(); }

  // The effect of an answer. unasked: no answer was expected. pong: it answers the ping. arrived:
  // the peer has the handle. again: the handle is written again. lost: that was the last attempt.
  enum class Answered { unasked, pong, arrived, again, lost };
  Answered answered(bool arrived) noexcept;

  // Gives up the first handle, because its answer does not come.
  void forget_handle() noexcept { handles_.pop_front(); }

  // Gives up the first handle, which cannot be written, together with its message. Returns whether
  // the message has a callback, which gets `why`, or is the channel's own.
  bool cancel_handle(std::error_code why) noexcept;

  // Takes PassedHandle::refused of the handles that were given up, except those that the peer may
  // still get.
  std::deque<std::function<void()>> take_refused() { return std::exchange(refused_, {}); }
  bool has_refused() const { return !refused_.empty(); }

  // Whether the peer is tine. Handles that only tine understands wait until this is known.
  enum class Peer { unknown, tine, other };
  void set_peer(Peer peer) { peer_ = peer; }
  // Returns whether the first handle is for tine only, and the peer is not tine.
  bool handle_unknown_to_peer() const { return for_tine_only() && peer_ == Peer::other; }
  // Returns whether the first handle is for tine only, and the peer is still unknown.
  bool awaits_peer() const { return for_tine_only() && peer_ == Peer::unknown; }

  // Gives up everything that is queued; nothing may be added afterwards. Returns how many of the
  // user's messages are lost.
  struct Lost {
    std::size_t messages = 0;
    std::size_t without_callback = 0;
  };
  Lost cancel(std::error_code why) noexcept;

  // Drops all callbacks without calling them.
  void drop_callbacks() noexcept { queue_.drop_callbacks(); }

  // Returns the number of callbacks that are due: their messages are written, or given up.
  std::size_t due() const { return queue_.due(); }
  // Calls the first of them. It counts as called even if it throws.
  void call_first_due() { queue_.call_first_due(); }

 private:
  // A message with a handle. Its frame is counted only the first time it is written.
  struct Passing {
    std::uint64_t begin;  // offset of the frame among all bytes
    base::ByteBuffer frame = {};
    std::vector<base::Descriptor> descriptors = {};
    std::size_t memory = 0;  // until the frame is written
    std::function<void()> refused = {};
    bool for_tine_only = false;
    std::size_t written = 0;  // bytes of the frame, in this attempt
    int times = 1;

    std::uint64_t end() const { return begin + frame.size(); }
    bool all_written() const { return written == frame.size(); }
  };

  // Where the next bytes to write come from.
  enum class Source { answers, handle, messages };

  std::optional<Error> write(base::ValueRef message, From from, const wire::AnnouncedHandle* handle,
                             base::ByteBuffer& out);
  std::optional<Error> write(Text message, From from, const wire::AnnouncedHandle* handle,
                             base::ByteBuffer& out);
  template <class Message>
  std::optional<Error> add_message(const Message& message, SendCallback& sent, From from);
  template <class Message>
  std::optional<Error> add_with_handle(const Message& message, PassedHandle& handle,
                                       SendCallback& sent, From from);
  std::optional<Error> refusal(std::size_t others, std::size_t size) const;

  bool at_handle() const { return !handles_.empty() && handles_.front().begin <= queue_.count(); }
  bool for_tine_only() const { return at_handle() && handles_.front().for_tine_only; }
  void handle_refused() noexcept;
  void count_memory_out(Passing& passing) noexcept { memory_ -= std::exchange(passing.memory, 0); }
  std::size_t rest_of_frame();
  bool at_frame_begin();
  Source source();
  std::string_view next_messages();

  wire::Codec& codec_;
  std::size_t limit_;

  // The messages, without those that have a handle. A record that has no callback is of a message of
  // the channel's own.
  uv::WriteQueue queue_;
  std::size_t frame_end_ = 0;  // end of a frame in the queue's buffer that is being written
  std::string_view last_;      // the frame that was added last

  std::deque<Passing> handles_;
  std::size_t memory_ = 0;  // of all of them
  std::deque<std::function<void()>> refused_;
  Peer peer_ = Peer::unknown;
  bool ping_unanswered_ = false;

  std::string answers_;
  std::size_t answers_written_ = 0;
};

}  // namespace tine::channel
