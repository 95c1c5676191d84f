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
#include "channel/trace.hpp"
#include "tine/channel.hpp"
#include "tine/error.hpp"
#include "tine/handle.hpp"
#include "tine/message.hpp"
#include "uv/loop_core.hpp"
#include "uv/stream.hpp"
#include "uv/task.hpp"
#include "uv/timer.hpp"

namespace tine::channel {

// One end of an IPC channel, the half that parent and child have in common: it sends, receives, and
// ends, and tells its owner what happens.
//
// It knows streams and messages, but neither processes nor listeners.
class Endpoint final : private uv::Stream::User, private uv::Flushable {
 public:
  // Whose end it is. It owns the Endpoint, and is kept alive while its functions run. Those that
  // say so run listeners, and may throw what these throw.
  class Owner : public std::enable_shared_from_this<Owner> {
   public:
    virtual ~Owner() = default;
    virtual Wanted wanted() const = 0;
    // Whether the open channel is to keep the loop running, unless the user says otherwise.
    virtual bool keeps_loop() const = 0;
    virtual void on_message(Message& message) = 0;  // runs listeners
    // A message for the channel itself, which is none of the Endpoint's.
    virtual void on_internal(nlohmann::json&, const Handle&) {}
    // Makes a handle of descriptors that came beside a line. Throws Error if they are not what the line
    // says.
    virtual Handle make_handle(const nlohmann::json& line,
                               std::vector<uv::Descriptor> descriptors) = 0;
    // Makes ready for the way what is to be sent. Throws Error if that cannot be.
    virtual PassedHandle pass(const Handle& handle, bool keep_open) = 0;
    virtual void on_error(Error error) = 0;  // runs listeners
    // Messages are lost because the channel is over. That is no fault of this process, so nothing is
    // thrown where nobody listens.
    virtual void on_loss(Error error) = 0;  // runs listeners
    virtual void on_drain() = 0;            // runs listeners
    virtual void on_disconnect() = 0;       // runs listeners
    // All is delivered and on_disconnect() is due: what is deferred from now on comes after it.
    virtual void on_ended() {}
  };

  Endpoint(uv::LoopCore& core, Owner& owner, const ChannelOptions& options);

  // Of a connected stream socket. Throws Error.
  void open(uv::Descriptor socket);

  bool send(const nlohmann::json& message, SendCallback sent);
  bool send(Text message, SendCallback sent);
  bool send(const nlohmann::json& message, const Handle& handle, bool keep_open, SendCallback sent);
  bool send(Text message, const Handle& handle, bool keep_open, SendCallback sent);
  // A message for the channel itself: none that fails is told of.
  void send_internal(const nlohmann::json& message);
  void send_internal(const nlohmann::json& message, PassedHandle handle);
  void disconnect();
  bool connected() const { return state_ == State::open; }
  // Nothing is open, and nothing is due any more.
  bool closed() const { return state_ == State::closed || state_ == State::never_open; }

  void set_ref(bool ref);
  void set_paused(bool paused);
  bool flush();
  std::size_t queued() const { return outbox_.queued(); }
  std::size_t torn() const { return torn_; }
  std::size_t lost_messages() const { return lost_messages_; }
  void name_peer(int pid) { peer_ = pid; }
  // Tells a parent that is tine that its child is too.
  void greet();
  // That the peer is tine too, or that it is not.
  void set_peer(Outbox::Peer peer);
  bool peer_has_read_all() const { return !stream_ || stream_->unread() == 0; }

  // To be called when listeners have come or gone.
  void listeners_changed();

  // The process at the other end is dead: reads what it left, without waiting for an end that
  // somebody who inherited its descriptor may hold off, and ends.
  void peer_died();

  // Writes what is queued, without the loop, which is not to run again.
  void write_all_now();

  // Closes at once; callbacks are told that what is queued is cancelled.
  void close();
  // There is no channel, nor will there be: `why` is told, and whatever is sent is lost because of it.
  void fail(Error why);
  // The same because the loop is going: nothing is told.
  void detach() noexcept;

  void report(Error error, const SendCallback& sent = {});

 private:
  // draining: it is to close when all is written. ended: it is closed, and messages are still to be
  // told.
  enum class State { never_open, open, draining, ended, closed };

  std::span<char> read_room() override { return inbox_.room(); }
  void on_read(std::size_t n) override;
  void on_read_end(int error) override;
  void on_hang_up() override;
  void on_writable() override;
  void flush_turn() noexcept override;
  void flush_at_turn_end() noexcept;

  void on_descriptors(std::span<uv::Descriptor> came) noexcept override;

  Wanted wanted() const;
  void pump();
  void schedule(uv::Task& task) noexcept;
  void pump_next_turn() noexcept;
  bool deliver();
  void tell(const Inbox::Item& item);
  void tell(Message& message);
  void tell_internal(const Inbox::Item& item);
  void handle_came(const Inbox::Item& item);
  void handle_answered(bool arrived);
  void answer(std::string_view line, bool later) noexcept;
  void trace_in(const Inbox::Item& item) noexcept;
  void trace_out(std::string_view text, bool internal) noexcept;
  void update_reading();
  void update_ref();

  template <class Message>
  bool send_with_handle(const Message& message, const Handle& handle, bool keep_open,
                        SendCallback& sent);
  template <class Message>
  bool send_any(const Message& message, PassedHandle* handle, SendCallback& sent);
  void send_own(const nlohmann::json& message, PassedHandle* handle);
  void taken(PassedHandle* handle);
  bool refuse(Error error, const SendCallback& sent);
  bool lose(const SendCallback& sent);
  void transmit() noexcept;
  void write_queued() noexcept;
  void count_written(std::size_t n) noexcept;
  void wait_for_progress() noexcept;
  void on_stalled();
  void cancel(std::error_code why) noexcept;
  void tell_sent();
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
  std::optional<int> peer_;  // its pid

  Inbox inbox_;
  std::size_t torn_ = 0;
  bool descriptors_dropped_ = false;
  bool peer_known_ = false;
  bool paused_ = false;
  bool pumping_ = false;
  std::optional<int> end_due_;  // the error to end with, once the message being told is told

  Outbox outbox_;
  std::size_t lost_messages_ = 0;  // in all
  std::size_t lost_ = 0;  // messages given up that have no callback, and are still to be reported
  std::error_code lost_because_;
  std::error_code failed_to_open_;
  std::optional<uv::RawTimer> stalled_;
  std::optional<uv::RawTimer> unanswered_;
  bool awaits_answer_ = false;
  std::size_t failed_handles_ = 0;  // still to be told of
  std::error_code failed_because_;
  std::size_t low_mark_;    // "drain" comes here
  std::size_t unread_ = 0;  // when the timer was started
  bool to_close_ = false;   // when it ran down last
  std::optional<std::uint64_t> last_sent_turn_;
  bool flush_due_ = false;
  bool drain_due_ = false;

  uv::Task pump_task_{[this] { pump(); }};
  uv::Task sent_task_{[this] { tell_sent(); }};
  uv::Task drain_task_{[this] { owner_.on_drain(); }};
  uv::Task disconnect_task_{[this] { owner_.on_disconnect(); }};
};

}  // namespace tine::channel
