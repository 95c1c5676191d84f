#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "channel/inbox.hpp"
#include "channel/outbox.hpp"
#include "channel/passed_handle.hpp"
#include "channel/received_message.hpp"
#include "channel/router.hpp"
#include "channel/trace.hpp"
#include "tine/channel.hpp"
#include "tine/error.hpp"
#include "tine/send_callback.hpp"
#include "tine/text.hpp"
#include "uv/event_sequence.hpp"
#include "uv/loop_core.hpp"
#include "uv/stream.hpp"
#include "uv/task.hpp"
#include "uv/timer.hpp"

namespace tine::channel {

// One end of an IPC channel: the half that parent and child have in common. It sends, receives and
// ends, and reports to its owner.
//
// It knows streams and messages, but neither processes nor listeners.
class Endpoint final : private uv::Stream::User, private uv::Flushable {
 public:
  // The owner of an Endpoint. It is kept alive while its functions run. Those marked "runs
  // listeners" may throw what the listeners throw.
  class Owner : public std::enable_shared_from_this<Owner> {
   public:
    virtual ~Owner() = default;
    virtual Wanted wanted() const = 0;
    // Returns whether the open channel keeps the loop running, unless the user has decided
    // otherwise.
    virtual bool keeps_loop() const = 0;
    virtual void on_message(const ReceivedMessage& message) = 0;  // runs listeners
    virtual void on_error(Error error) = 0;                       // runs listeners
    // Reports messages that are lost because the channel is over. That is not a fault of this
    // process, so nothing is thrown if nobody listens.
    virtual void on_loss(Error error) = 0;  // runs listeners
    virtual void on_drain() = 0;            // runs listeners
    virtual void on_disconnect() = 0;       // runs listeners
    // Called when everything is delivered and on_disconnect() is due: tasks deferred from now on
    // run after it.
    virtual void on_ended() {}
  };

  Endpoint(uv::LoopCore& core, Owner& owner, const ChannelOptions& options);

  // Opens the channel on a connected stream socket, or on a pair of stream descriptors, beside which
  // no handles travel. Throws Error.
  void open(uv::StreamEnds ends);

  bool send(const nlohmann::json& message, SendCallback sent);
  bool send(Text message, SendCallback sent);
  bool send(const nlohmann::json& message, PassedHandle handle, SendCallback sent);
  bool send(Text message, PassedHandle handle, SendCallback sent);
  // Sends a message of the channel's own. A failure of the message is not reported.
  void send_internal(const nlohmann::json& message);
  void send_internal(const nlohmann::json& message, PassedHandle handle);
  void disconnect();
  bool connected() const { return state_ == State::open; }
  // Returns whether nothing is open, and nothing is due any more.
  bool closed() const { return state_ == State::closed || state_ == State::never_open; }

  void set_ref(bool ref);
  void set_paused(bool paused);
  bool flush();
  std::size_t queued() const { return outbox_.queued(); }
  std::size_t torn() const { return torn_; }
  std::size_t lost_messages() const { return lost_messages_; }
  void name_peer(int pid) { peer_ = pid; }
  // Announces to a tine parent that this child is tine too.
  void greet();
  // Sets whether the peer is tine.
  void set_peer(Outbox::Peer peer);
  bool peer_has_read_all() const { return !stream_ || stream_->unread() == 0; }

  // Must be called when listeners were added or removed.
  void listeners_changed();

  // Offers the messages that the Endpoint does not handle itself to the layers above. Cleared when
  // the channel has ended.
  Router& router() { return router_; }

  // Ends the channel because the process at the other end is dead. Reads what the peer left, but
  // does not wait for EOF, which a process that inherited the peer's descriptor could delay.
  void peer_died();

  // Writes what is queued without the loop, which will not run again.
  void write_all_now();

  // Closes at once. The callbacks of queued messages get ECANCELED.
  void close();
  // Reports why there is no channel, and will be none. Messages sent from now on are lost with the
  // same error.
  void fail(Error why);
  // Closes because the loop is being destroyed. Reports nothing.
  void detach() noexcept;

  void report(Error error, SendCallback sent = {});

 private:
  // draining: closes once everything is written. ended: closed, but messages are still to be
  // delivered.
  enum class State { never_open, open, draining, ended, closed };

  // What is reported about sent messages, in this order. refused: PassedHandle::refused.
  enum class Due { sent, lost, failed_handles, refused };

  std::span<char> read_room() override { return inbox_.room(); }
  void on_read(std::size_t n) override;
  void on_read_end(int error) override;
  void on_hang_up() override;
  void on_writable() override;
  void flush_turn() noexcept override;
  void flush_at_turn_end() noexcept;

  void on_descriptors(std::span<base::Descriptor> came) noexcept override;

  Wanted wanted() const;
  void pump();
  void schedule(uv::Task& task) noexcept;
  void pump_next_turn() noexcept;
  bool deliver();
  void deliver_message(const Inbox::Item& item);
  void handle_internal(const Inbox::Item& item);
  void handle_came(const Inbox::Item& item);
  void handle_answered(bool arrived);
  void answer(std::string_view line, bool later) noexcept;
  void trace_in(const Inbox::Item& item) noexcept;
  void trace_out(std::string_view text, bool internal) noexcept;
  void update_reading();
  void update_ref();

  template <class Message>
  bool send_any(const Message& message, PassedHandle* handle, SendCallback& sent);
  void send_own(const nlohmann::json& message, PassedHandle* handle);
  void taken(PassedHandle* handle);
  bool refuse(Error error, SendCallback& sent);
  bool lose(SendCallback& sent);
  void transmit() noexcept;
  void write_queued() noexcept;
  void count_written(std::size_t n) noexcept;
  void wait_for_progress() noexcept;
  void on_stalled();
  void cancel(std::error_code why) noexcept;
  void schedule(Due event) noexcept;
  void emit(Due event);
  void call_sent();
  void call_refused();
  void report_lost();
  void await_answer() noexcept;
  std::chrono::milliseconds patience_to_close() const;
  void handle_late();
  bool give_up_waiting() noexcept;
  void cancel_handle(std::error_code why) noexcept;
  void handle_failed(std::error_code why) noexcept;
  void report_failed_handles();
  void look_for_answers();

  void end_when_read(int error) noexcept;
  void read_rest_and_end();
  void end(std::error_code unwritten_because) noexcept;

  uv::LoopCore* core_;
  Owner& owner_;
  ChannelOptions options_;
  State state_ = State::never_open;
  std::unique_ptr<uv::Stream> stream_;
  std::optional<bool> explicit_ref_;
  Trace* const trace_ = Trace::instance();
  unsigned trace_number_ = trace_ == nullptr ? 0 : trace_->next_channel();
  std::optional<int> peer_;  // pid

  Inbox inbox_;
  Router router_;
  std::size_t torn_ = 0;
  bool descriptors_dropped_ = false;
  bool peer_known_ = false;
  bool paused_ = false;
  bool pumping_ = false;
  std::optional<int> end_due_;  // errno to end with, once the current delivery is done

  Outbox outbox_;
  std::size_t lost_messages_ = 0;  // total
  std::size_t lost_ = 0;           // messages given up without a callback, and not reported yet
  std::error_code lost_because_;
  std::error_code failed_to_open_;
  std::optional<uv::RawTimer> stalled_;
  std::optional<uv::RawTimer> unanswered_;
  bool awaits_answer_ = false;
  std::size_t failed_handles_ = 0;  // not reported yet
  std::error_code failed_because_;
  std::size_t low_mark_;    // "drain" is emitted at this level
  std::size_t unread_ = 0;  // bytes unread by the peer when stalled_ was started
  bool to_close_ = false;   // whether to close, when stalled_ last expired
  std::optional<std::uint64_t> last_sent_turn_;
  bool flush_due_ = false;
  bool drain_due_ = false;

  uv::Task pump_task_{[this] { pump(); }};
  uv::EventSequence<Due> due_{[this](Due event) { emit(event); }};
  uv::Task drain_task_{[this] { owner_.on_drain(); }};
  uv::Task disconnect_task_{[this] { owner_.on_disconnect(); }};
};

}  // namespace tine::channel
