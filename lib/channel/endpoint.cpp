#include "channel/endpoint.hpp"

#include <cerrno>
#include <new>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/system_code.hpp"
#include "wire/internal_message.hpp"

namespace tine::channel {

using base::system_code;

Endpoint::Endpoint(uv::LoopCore& core, Owner& owner, const ChannelOptions& options,
                   Serialization serialization)
    : context_(core, owner, options, serialization) {}

void Endpoint::open(uv::StreamEnds ends) {
  Transport::User& user = *this;
  transport_.emplace(context_, std::move(ends), user);
  sender_.open(*transport_);
  state_ = State::open;
  update_reading();
  update_ref();
}

// --- sending

bool Endpoint::send(base::ValueRef message, SendCallback sent) {
  return send_any(message, nullptr, sent);
}

bool Endpoint::send(Text message, SendCallback sent) { return send_any(message, nullptr, sent); }

bool Endpoint::send(base::ValueRef message, PassedHandle handle, SendCallback sent) {
  return send_any(message, &handle, sent);
}

bool Endpoint::send(Text message, PassedHandle handle, SendCallback sent) {
  return send_any(message, &handle, sent);
}

template <class Message>
bool Endpoint::send_any(const Message& message, PassedHandle* handle, SendCallback& sent) {
  return connected() ? sender_.send(message, handle, sent) : lose(sent);
}

Endpoint::Tried Endpoint::try_send(base::ValueRef message, PassedHandle* handle) {
  if (connected()) return sender_.try_send(message, handle);
  if (state_ != State::never_open) sender_.count_lost();
  return {.refused = Error(failed_to_open_ ? failed_to_open_ : Errc::channel_closed)};
}

bool Endpoint::ping() {
  if (connected()) sender_.ping();
  return connected();
}

void Endpoint::send_internal(base::ValueRef message) {
  if (connected()) sender_.send_internal(message, nullptr);
}

void Endpoint::send_internal(base::ValueRef message, PassedHandle handle) {
  if (connected()) sender_.send_internal(message, &handle);
}

void Endpoint::greet() {
  set_peer(Outbox::Peer::tine);
  sender_.send_later(object("cmd", wire::hello_command));
}

// The channel is over. A program that was not forked never had one: that is an error like any
// other.
bool Endpoint::lose(SendCallback& sent) {
  if (state_ == State::never_open) {
    report(Error(Errc::channel_closed), std::move(sent));
    return false;
  }
  sender_.count_lost();
  if (context_.core() == nullptr) return false;
  const std::error_code why = failed_to_open_ ? failed_to_open_ : Errc::channel_closed;
  context_.core()->defer(
      [this, keep = context_.owner().shared_from_this(), why, sent = std::move(sent)] {
        if (sent) {
          sent(why);
        } else if (!failed_to_open_) {
          context_.owner().on_loss(Error(why, "a message was not sent"));
        }
      });
  return false;
}

void Endpoint::report(Error error, SendCallback sent) {
  context_.report(std::move(error), std::move(sent));
}

void Endpoint::on_writable() {
  transport_->writable();
  sender_.write_queued();
}

void Endpoint::on_all_written() noexcept {
  if (state_ == State::draining) end({});
}

void Endpoint::write_all_now() {
  sender_.write_all_now([this] { receiver_.read_answers(transport_->stream()); });
}

// --- receiving

void Endpoint::on_read(std::size_t n) {
  receiver_.advance(n);
  pump();
}

void Endpoint::on_descriptors(std::span<base::Descriptor> came) noexcept { receiver_.take(came); }

// Delivers what has come in. If a listener throws, the rest is delivered on the next turn.
void Endpoint::pump() {
  if (pumping_ || context_.core() == nullptr) return;
  if (context_.core()->halted()) return pump_next_turn();

  const auto keep = context_.owner().shared_from_this();
  struct Pumping {
    explicit Pumping(Endpoint& endpoint) : self(endpoint) { self.pumping_ = true; }
    Pumping(const Pumping&) = delete;
    Pumping& operator=(const Pumping&) = delete;
    ~Pumping() {
      self.pumping_ = false;
      if (unfinished) self.pump_next_turn();
      if (self.end_due_) self.end_when_read(*self.end_due_);
      self.update_reading();
    }
    Endpoint& self;
    bool unfinished = true;
  } pumping(*this);
  if (end_due_) read_rest_and_end();
  pumping.unfinished = !deliver();
  if (pumping.unfinished || state_ != State::ended) return;

  state_ = State::closed;
  context_.defer(disconnect_task_);
  router().clear();
  context_.owner().on_ended();
}

// Returns false if there may be more, but the rest of the loop has to run first.
bool Endpoint::deliver() {
  const Receiver::Delivered delivered = receiver_.deliver();
  if (delivered == Receiver::Delivered::overflow) {
    end(system_code(ECANCELED));
    context_.owner().on_error(receiver_.overflow_error());
  }
  receiver_.close_stray();
  return delivered != Receiver::Delivered::some;
}

void Endpoint::set_paused(bool paused) {
  receiver_.set_paused(paused);
  listeners_changed();
}

void Endpoint::listeners_changed() {
  if (context_.core() == nullptr) return;
  update_ref();
  update_reading();
  if (!pumping_ && receiver_.has_wanted_frame()) context_.defer(pump_task_);
}

void Endpoint::update_reading() {
  if (!transport_) return;
  using Reading = uv::Stream::Reading;
  const bool on = receiver_.has_room() && !pump_task_.due();
  transport_->stream().set_reading(on ? Reading::on : Reading::watching);
}

void Endpoint::update_ref() {
  if (!transport_) return;
  transport_->stream().set_ref(explicit_ref_.value_or(context_.owner().keeps_loop()));
}

void Endpoint::set_ref(bool ref) {
  explicit_ref_ = ref;
  update_ref();
}

// --- ending

void Endpoint::disconnect() {
  if (!connected()) return;
  state_ = State::draining;
  transport_->start_closing();
  sender_.start_closing();
}

void Endpoint::on_read_end(int error) {
  end_when_read(error == 0 ? EPIPE : error);
  if (error == 0 || error == ECONNRESET) return;
  report(Error(system_code(error), "reading from the channel failed, which is closed"));
}

void Endpoint::on_hang_up() { end_when_read(EPIPE); }
void Endpoint::peer_died() { end_when_read(EPIPE); }

// A peer that is gone may have left something to read. One that has stalled has not.
void Endpoint::on_give_up(int error) noexcept {
  error == EPIPE ? end_when_read(error) : end(system_code(error));
}

// An end that is noticed during delivery waits until the delivery is done: the buffer that the rest
// would be read into is in use.
void Endpoint::end_when_read(int error) noexcept {
  if (!transport_) return;
  end_due_ = error;
  sender_.stop();
  if (pumping_) return;
  try {
    read_rest_and_end();
  } catch (const std::bad_alloc&) {
    pump_next_turn();  // tries again
  }
}

void Endpoint::read_rest_and_end() {
  transport_->stream().read_available([this](std::size_t n) { receiver_.advance(n); });
  end(system_code(*end_due_));
}

// What came in is delivered first, because it may say why nothing more could be written.
void Endpoint::end(std::error_code unwritten_because) noexcept {
  if (!transport_) return;
  torn_ = receiver_.unfinished();
  context_.defer(pump_task_);
  sender_.cancel(unwritten_because);
  shut(State::ended);
}

void Endpoint::close() {
  if (transport_) sender_.cancel(system_code(ECANCELED));
  shut(State::closed);
}

void Endpoint::fail(Error why) {
  close();
  failed_to_open_ = why.code();
  report(std::move(why));
}

void Endpoint::detach() noexcept {
  router().clear();
  if (context_.core() == nullptr) return;
  shut(State::closed);
  context_.loop_is_gone();
  sender_.drop_callbacks();
}

// Closes the descriptors and ends all that needs them.
void Endpoint::shut(State state) noexcept {
  sender_.stop();
  transport_.reset();
  end_due_.reset();
  state_ = state;
}

}  // namespace tine::channel
