#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <system_error>

#include "base/value_ref.hpp"
#include "channel/context.hpp"
#include "channel/handle_handshake.hpp"
#include "channel/outbox.hpp"
#include "channel/passed_handle.hpp"
#include "channel/send_reports.hpp"
#include "channel/transport.hpp"
#include "tine/error.hpp"
#include "tine/send_callback.hpp"
#include "tine/text.hpp"
#include "uv/loop_core.hpp"
#include "uv/task.hpp"

namespace tine::channel {

// The sending half of an Endpoint: the queue, when it is written, and what the user learns of it.
class Sender final : private uv::Flushable {
 public:
  // The endpoint, which learns of writes what may end the channel.
  class User {
   public:
    virtual void on_write_error(int error) noexcept = 0;
    virtual void on_all_written() noexcept = 0;
    // Returns whether more input is there already, which may be answered together with what is sent
    // now.
    virtual bool has_input() = 0;

   protected:
    ~User() = default;
  };

  Sender(Context& context, User& user);

  // The transport stays the caller's. Nothing is written before open() and after stop().
  void open(Transport& transport);
  void stop() noexcept;

  // Queue a message on an open channel, and write it as soon as it is worth it. Return false if it
  // is refused, or if the queue has reached ChannelOptions::send_mark.
  bool send(base::ValueRef message, PassedHandle* handle, SendCallback& sent);
  bool send(Text message, PassedHandle* handle, SendCallback& sent);
  // Does the same for a layer above, but returns why the message is refused instead of reporting it.
  // hold: the queue has reached ChannelOptions::send_mark, so "drain" follows.
  struct Tried {
    std::optional<Error> refused = {};
    bool hold = false;
  };
  Tried try_send(base::ValueRef message, PassedHandle* handle);
  // Queues a message of the channel's own. A failure of the message is not reported.
  void send_internal(base::ValueRef message, PassedHandle* handle);
  // Queues a message of the channel's own that goes out with the next one, or at the end of the
  // turn, so that it costs no write of its own.
  void send_later(base::ValueRef message);
  // Queues the answer to a handle that came. If `later`, it goes out with the reply to the message,
  // or at the end of the turn.
  void answer(wire::Answer answer, bool later) noexcept;

  // Asks the peer's loop for a sign of life, which Owner::on_pong() reports: the answer to a ping, or
  // to a handle that is on its way. At most one ping is unanswered.
  void ping() noexcept;

  // Takes an internal message that is about sent handles: an answer, or that the peer is tine.
  // Returns false if it is about something else. Runs listeners.
  bool take(std::string_view command);
  // Does the same at the exit of the process: neither writes nor reports anything.
  void take_at_exit(std::string_view command) noexcept;
  void set_peer(Outbox::Peer peer) noexcept;
  bool peer_known() const { return handshake_.peer_known(); }

  void write_queued() noexcept;
  // Writes as much of the queue as the kernel takes now. Returns whether that was all.
  bool flush();
  // Gives up sooner from now on what waits, because the channel closes once everything is written.
  void start_closing() noexcept;

  // Writes all that is queued without the loop, which will not run again. `read_answers` is called
  // to pass what has come in to take_at_exit().
  void write_all_now(const std::function<void()>& read_answers);

  // Gives up everything that is queued.
  void cancel(std::error_code why) noexcept;
  void drop_callbacks() noexcept { outbox_.drop_callbacks(); }

  std::size_t queued() const { return outbox_.queued(); }
  std::size_t lost_messages() const { return lost_messages_; }
  // Counts a message that was not taken because the channel is over.
  void count_lost() { ++lost_messages_; }

 private:
  // What write() has come to. all: nothing is left, or all that is left waits for the peer to say
  // something. blocked: the kernel takes no more.
  enum class End { all, blocked, error };
  struct Written {
    End end;
    std::size_t bytes = 0;
    int error = 0;  // errno
  };

  template <class Message>
  bool send_any(const Message& message, PassedHandle* handle, SendCallback& sent);
  template <class Message>
  std::optional<Error> add(const Message& message, PassedHandle* handle, SendCallback& sent,
                           Outbox::From from);
  void handle_answered(bool arrived);
  void trace(bool internal) noexcept;
  bool look_at_mark();
  bool add_ping() noexcept;
  void transmit() noexcept;
  void flush_at_turn_end() noexcept;
  void flush_turn() noexcept override;
  Written write() noexcept;
  void count_written(std::size_t n) noexcept;
  void look_for_drain() noexcept;

  Context& context_;
  User& user_;
  Transport* transport_ = nullptr;
  Outbox outbox_;
  SendReports reports_{context_, outbox_};
  HandleHandshake handshake_{context_, outbox_, reports_, [this] { write_queued(); }};

  std::size_t low_mark_;  // "drain" is emitted at this level
  std::size_t lost_messages_ = 0;
  std::optional<std::uint64_t> last_sent_turn_;
  bool flush_due_ = false;
  bool drain_due_ = false;
  bool ping_wanted_ = false;
  uv::Task drain_task_{[this] { context_.owner().on_drain(); }};
};

}  // namespace tine::channel
