#include "channel/sender.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <new>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/system_code.hpp"
#include "wire/internal_message.hpp"

namespace tine::channel {

using base::system_code;

namespace {

// Small messages of one turn are written together, in pieces of this size: larger ones keep the
// peer waiting, smaller ones cost system calls.
constexpr std::size_t burst = std::size_t{16} << 10;

// The most bytes of one buffer that a system call is asked to write.
constexpr std::size_t most_at_once = std::size_t{1} << 20;

bool is_full(const Error& refusal) { return refusal.code() == Errc::queue_full; }

// Returns whether a write error means that the peer is gone. Otherwise the descriptors beside the
// bytes cannot be sent.
bool is_end(int error) { return error == EPIPE || error == ECONNRESET || error == ENOTCONN; }

bool is_internal(Text) { return false; }
bool is_internal(const Array&) { return false; }
template <class Form>
bool is_internal(const Form& message) {
  return !wire::internal_command(message).empty();
}
bool is_internal(base::ValueRef message) {
  return base::visit([](const auto& form) { return is_internal(form); }, message);
}

}  // namespace

Sender::Sender(Context& context, User& user)
    : context_(context),
      user_(user),
      outbox_(context.codec(), context.options()),
      low_mark_(std::min(context.options().send_mark, context.options().send_limit) / 2) {}

void Sender::open(Transport& transport) {
  handshake_.open();
  transport_ = &transport;
}

void Sender::stop() noexcept {
  if (std::exchange(transport_, nullptr) == nullptr) return;
  context_.core()->forget(*this);
  handshake_.close();
}

// --- messages

bool Sender::send(base::ValueRef message, PassedHandle* handle, SendCallback& sent) {
  return send_any(message, handle, sent);
}

bool Sender::send(Text message, PassedHandle* handle, SendCallback& sent) {
  return send_any(message, handle, sent);
}

void Sender::send_internal(base::ValueRef message, PassedHandle* handle) {
  SendCallback nobody;
  if (!add(message, handle, nobody, Outbox::From::channel)) transmit();
}

void Sender::send_later(base::ValueRef message) {
  SendCallback nobody;
  if (!add(message, nullptr, nobody, Outbox::From::channel)) flush_at_turn_end();
}

template <class Message>
bool Sender::send_any(const Message& message, PassedHandle* handle, SendCallback& sent) {
  if (auto refused = add(message, handle, sent, Outbox::From::user)) {
    drain_due_ = drain_due_ || is_full(*refused);
    context_.report(std::move(*refused), std::move(sent));
    return false;
  }
  transmit();
  return look_at_mark();
}

Sender::Tried Sender::try_send(base::ValueRef message, PassedHandle* handle) {
  SendCallback nobody;
  if (auto refused = add(message, handle, nobody, Outbox::From::user)) {
    const bool full = is_full(*refused);
    drain_due_ = drain_due_ || full;
    return {.refused = std::move(refused), .hold = full};
  }
  transmit();
  return {.hold = !look_at_mark()};
}

// Returns false if the user should wait for "drain".
bool Sender::look_at_mark() {
  const std::size_t backlog = outbox_.backlog();
  if (backlog == 0 || backlog < context_.options().send_mark) return true;
  drain_due_ = true;
  return false;
}

// Once the message is accepted, nothing can fail.
template <class Message>
std::optional<Error> Sender::add(const Message& message, PassedHandle* handle, SendCallback& sent,
                                 Outbox::From from) {
  auto refused = handle == nullptr ? outbox_.add(message, sent, from)
                                   : outbox_.add(message, *handle, sent, from);
  if (refused) return refused;
  if (context_.trace()) trace(from == Outbox::From::channel || is_internal(message));
  if (handle != nullptr && handle->taken) handle->taken();
  return std::nullopt;
}

void Sender::answer(wire::Answer answer, bool later) noexcept {
  if (transport_ == nullptr) return;
  outbox_.answer(answer);
  if (context_.trace()) trace(true);
  later ? flush_at_turn_end() : write_queued();
}

void Sender::trace(bool internal) noexcept {
  context_.trace().out({.text = outbox_.last(), .internal = internal, .queued = queued()});
}

// --- writing

// Messages sent in quick succession are written together. Even then the first one of a turn is
// written at once, unless more input is already there to be answered.
void Sender::transmit() noexcept {
  uv::LoopCore& core = *context_.core();
  const bool dense = core.pace().sent(uv::Pace::now());
  if (transport_ == nullptr || transport_->awaiting_writable()) return;
  const bool first = std::exchange(last_sent_turn_, core.turn()) != core.turn();
  if (!dense || queued() >= burst || (first && !user_.has_input())) {
    write_queued();
  } else {
    flush_at_turn_end();
  }
}

void Sender::flush_at_turn_end() noexcept {
  if (transport_ == nullptr || std::exchange(flush_due_, true)) return;
  context_.core()->flush_at_turn_end(*this);
}

void Sender::flush_turn() noexcept {
  flush_due_ = false;
  write_queued();
}

bool Sender::flush() {
  write_queued();
  return queued() == 0;
}

void Sender::write_queued() noexcept {
  if (transport_ == nullptr) return;
  if (!transport_->awaiting_writable()) {
    const Written written = write();
    if (written.end == End::error) return user_.on_write_error(written.error);
    if (written.end == End::blocked) transport_->await_writable();
  }
  if (add_ping()) return write_queued();
  look_for_drain();
  handshake_.look(transport_->closing());
  if (outbox_.empty()) user_.on_all_written();
}

Sender::Written Sender::write() noexcept {
  std::size_t bytes = 0;
  while (true) {
    if (outbox_.handle_unknown_to_peer()) {
      handshake_.cancel(Errc::invalid_handle_type);
      continue;
    }
    Outbox::Piece piece = outbox_.front();
    if (piece.bytes.empty()) return {End::all, bytes};
    piece.bytes = piece.bytes.substr(0, most_at_once);
    piece.then = piece.then.substr(0, most_at_once);
    const int written = transport_->write(piece);
    if (written < 0 && !piece.beside.empty() && !is_end(-written)) {
      handshake_.cancel(system_code(-written));
      continue;
    }
    if (written < 0) return {End::error, bytes, -written};
    count_written(static_cast<std::size_t>(written));
    bytes += static_cast<std::size_t>(written);
    if (static_cast<std::size_t>(written) < piece.bytes.size() + piece.then.size()) {
      return {End::blocked, bytes};
    }
  }
}

void Sender::count_written(std::size_t n) noexcept {
  outbox_.written(n);
  reports_.look();
}

// A message leaves the queue when it is written, and when its handle is given up.
void Sender::look_for_drain() noexcept {
  if (!drain_due_ || transport_->closing() || outbox_.backlog() > low_mark_) return;
  drain_due_ = false;
  context_.defer(drain_task_);
}

void Sender::start_closing() noexcept {
  handshake_.restart();
  write_queued();
}

void Sender::cancel(std::error_code why) noexcept {
  const Outbox::Lost lost = outbox_.cancel(why);
  lost_messages_ += lost.messages;
  reports_.look();
  reports_.lost(lost.without_callback, why);
}

void Sender::write_all_now(const std::function<void()>& read_answers) {
  using std::chrono::steady_clock;
  if (transport_ == nullptr) return;
  if (handshake_.waits()) read_answers();  // the answer may have been read already
  const uv::Stream& stream = transport_->stream();
  std::size_t unread = stream.unread();
  auto last_progress = steady_clock::now();
  while (true) {
    const Written written = write();
    if (written.end == End::error || outbox_.empty()) return;
    const bool blocked = written.end == End::blocked;
    const auto patience =
        blocked ? context_.options().flush_timeout : handshake_.patience_to_close();
    const auto now = steady_clock::now();
    const bool late = now >= last_progress + patience;
    bool progress = written.bytes > 0;
    if (late && !progress) {
      const std::size_t before = std::exchange(unread, stream.unread());
      progress = unread != before;
    }
    if (late && !blocked) {
      read_answers();  // this process may have been stopped: what came meanwhile is in time
      progress = progress || !handshake_.waits();
    }
    if (late && !progress && !handshake_.give_up()) return;
    if (late || progress) {
      last_progress = now;
      continue;
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(last_progress + patience - now);
    const bool came = stream.wait(blocked, left).for_reading;
    if (came && stream.available() == 0) return;
    if (came) read_answers();
  }
}

// --- sent handles

void Sender::ping() noexcept {
  ping_wanted_ = true;
  if (add_ping()) transmit();
}

// Returns whether it has queued a ping. While a handle is on its way, the answer to the handle is
// the sign of life. Without memory for the line there is none.
bool Sender::add_ping() noexcept try {
  if (!ping_wanted_ || outbox_.has_handles() || outbox_.ping_unanswered()) return false;
  if (!outbox_.ping()) return false;
  if (context_.trace()) trace(true);
  return true;
} catch (const std::bad_alloc&) {
  return false;
}

bool Sender::take(std::string_view command) {
  if (command == wire::ack_command) {
    handle_answered(true);
  } else if (command == wire::nack_command) {
    handle_answered(false);
  } else if (command == wire::hello_command) {
    set_peer(Outbox::Peer::tine);
  } else {
    return false;
  }
  return true;
}

void Sender::take_at_exit(std::string_view command) noexcept {
  if (command == wire::ack_command) handshake_.answered(true);
  if (command == wire::nack_command) handshake_.answered(false);
  if (command == wire::hello_command) handshake_.set_peer(Outbox::Peer::tine);
}

void Sender::handle_answered(bool arrived) {
  const Outbox::Answered answered = handshake_.answered(arrived);
  if (answered == Outbox::Answered::unasked) return;
  const bool is_pong = std::exchange(ping_wanted_, false);
  write_queued();
  if (is_pong) context_.owner().on_pong();
  if (answered != Outbox::Answered::lost) return;
  if (outbox_.has_refused()) return reports_.look();
  context_.owner().on_error(Error(Errc::handle_lost, "the peer refused it four times"));
}

void Sender::set_peer(Outbox::Peer peer) noexcept {
  handshake_.set_peer(peer);
  write_queued();
}

}  // namespace tine::channel
