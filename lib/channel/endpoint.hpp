#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <system_error>

#include "base/value_ref.hpp"
#include "channel/context.hpp"
#include "channel/outbox.hpp"
#include "channel/owner.hpp"
#include "channel/passed_handle.hpp"
#include "channel/receiver.hpp"
#include "channel/router.hpp"
#include "channel/sender.hpp"
#include "channel/transport.hpp"
#include "tine/channel.hpp"
#include "tine/error.hpp"
#include "tine/send_callback.hpp"
#include "tine/text.hpp"
#include "uv/loop_core.hpp"
#include "uv/stream.hpp"
#include "uv/task.hpp"

namespace tine::channel {

// One end of an IPC channel: the half that parent and child have in common. It has the states of the
// channel, and what a state means for its parts: the transport, the sender and the receiver.
//
// It knows streams and messages, but neither processes nor listeners.
class Endpoint final : private Transport::User, private Sender::User {
 public:
  using Owner = channel::Owner;

  Endpoint(uv::LoopCore& core, Owner& owner, const ChannelOptions& options,
           Serialization serialization = Serialization::json);

  // Opens the channel on a connected stream socket, or on a pair of stream descriptors, beside which
  // no handles travel. Throws Error.
  void open(uv::StreamEnds ends);

  bool send(base::ValueRef message, SendCallback sent);
  bool send(Text message, SendCallback sent);
  bool send(base::ValueRef message, PassedHandle handle, SendCallback sent);
  bool send(Text message, PassedHandle handle, SendCallback sent);
  // Sends a message of a layer above, with a handle if that is not null. The caller reports a refusal.
  using Tried = Sender::Tried;
  Tried try_send(base::ValueRef message, PassedHandle* handle);
  // Asks the peer's loop for a sign of life: see Sender::ping(). Returns false if the channel is not
  // open.
  bool ping();
  // Sends a message of the channel's own. A failure of the message is not reported.
  void send_internal(base::ValueRef message);
  void send_internal(base::ValueRef message, PassedHandle handle);
  void disconnect();
  bool connected() const { return state_ == State::open; }
  // Returns whether nothing is open, and nothing is due any more.
  bool closed() const { return state_ == State::closed || state_ == State::never_open; }

  void set_ref(bool ref);
  void set_paused(bool paused);
  bool flush() { return sender_.flush(); }
  std::size_t queued() const { return sender_.queued(); }
  std::size_t torn() const { return torn_; }
  std::size_t lost_messages() const { return sender_.lost_messages(); }
  void name_peer(int pid) { context_.trace().name_peer(pid); }
  // Announces to a tine parent that this child is tine too.
  void greet();
  // Sets whether the peer is tine.
  void set_peer(Outbox::Peer peer) { sender_.set_peer(peer); }
  bool peer_has_read_all() const { return !transport_ || transport_->stream().unread() == 0; }

  // Must be called when listeners were added or removed.
  void listeners_changed();
  // Returns whether a message waits to be delivered to a listener that is there.
  bool has_wanted_message() { return context_.core() != nullptr && receiver_.has_wanted_frame(); }

  // Offers the messages that the Endpoint does not handle itself to the layers above. Cleared when
  // the channel has ended.
  Router& router() { return receiver_.router(); }

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

  // Reports an error on a later turn, to the callback, or as "error" if there is none.
  void report(Error error, SendCallback sent = {});

 private:
  // draining: closes once everything is written. ended: closed, but messages are still to be
  // delivered.
  enum class State { never_open, open, draining, ended, closed };

  std::span<char> read_room() override { return receiver_.room(); }
  void on_read(std::size_t n) override;
  void on_descriptors(std::span<base::Descriptor> came) noexcept override;
  void on_read_end(int error) override;
  void on_hang_up() override;
  void on_writable() override;
  void on_give_up(int error) noexcept override;
  void on_write_error(int error) noexcept override { end_when_read(error); }
  void on_all_written() noexcept override;
  bool has_input() override { return receiver_.has_frame(); }

  void pump();
  void pump_next_turn() noexcept { context_.defer_to_next_turn(pump_task_); }
  bool deliver();
  void update_reading();
  void update_ref();

  template <class Message>
  bool send_any(const Message& message, PassedHandle* handle, SendCallback& sent);
  bool lose(SendCallback& sent);

  void end_when_read(int error) noexcept;
  void read_rest_and_end();
  void end(std::error_code unwritten_because) noexcept;
  void shut(State state) noexcept;

  Context context_;
  State state_ = State::never_open;
  std::optional<Transport> transport_;  // while open or draining
  Sender sender_{context_, *this};
  Receiver receiver_{context_, sender_};

  std::optional<bool> explicit_ref_;
  std::optional<int> end_due_;  // errno to end with, once the current delivery is done
  std::error_code failed_to_open_;
  std::size_t torn_ = 0;
  bool pumping_ = false;
  uv::Task pump_task_{[this] { pump(); }};
  uv::Task disconnect_task_{[this] { context_.owner().on_disconnect(); }};
};

}  // namespace tine::channel
