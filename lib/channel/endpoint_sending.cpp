// The sending half of Endpoint: messages, and the handles beside them.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/system_code.hpp"
#include "channel/endpoint.hpp"
#include "wire/internal_message.hpp"

namespace tine::channel {

using base::system_code;

namespace {

// Small messages of one turn are written together, in pieces of this size: larger ones keep the
// peer waiting, smaller ones cost system calls.
constexpr std::size_t burst = std::size_t{16} << 10;

// The most bytes of one buffer that a system call is asked to write.
constexpr std::size_t most_at_once = std::size_t{1} << 20;

// Returns whether a write error means that the peer is gone. Otherwise the descriptors beside the
// bytes cannot be sent.
bool is_end(int error) { return error == EPIPE || error == ECONNRESET || error == ENOTCONN; }

bool refused_beside(int written, const Outbox::Piece& piece) {
  return written < 0 && !piece.beside.empty() && !is_end(-written);
}

bool is_internal(const nlohmann::json& message) { return !wire::internal_command(message).empty(); }
bool is_internal(Text) { return false; }

}  // namespace

// --- messages

bool Endpoint::send(const nlohmann::json& message, SendCallback sent) {
  return send_any(message, nullptr, sent);
}

bool Endpoint::send(Text message, SendCallback sent) { return send_any(message, nullptr, sent); }

bool Endpoint::send(const nlohmann::json& message, PassedHandle handle, SendCallback sent) {
  return send_any(message, &handle, sent);
}

bool Endpoint::send(Text message, PassedHandle handle, SendCallback sent) {
  return send_any(message, &handle, sent);
}

void Endpoint::send_internal(const nlohmann::json& message) { send_own(message, nullptr); }

void Endpoint::send_internal(const nlohmann::json& message, PassedHandle handle) {
  send_own(message, &handle);
}

// Once the message is accepted, nothing can fail.
template <class Message>
bool Endpoint::send_any(const Message& message, PassedHandle* handle, SendCallback& sent) {
  if (!connected()) return lose(sent);
  auto refused =
      handle == nullptr ? outbox_.add(message, sent) : outbox_.add(message, *handle, sent);
  if (refused) return refuse(std::move(*refused), sent);
  if (trace_ != nullptr) trace_out(outbox_.last(), is_internal(message));
  taken(handle);
  if (outbox_.queued() == 0 || outbox_.queued() < options_.send_mark) return true;
  drain_due_ = true;
  return false;
}

void Endpoint::send_own(const nlohmann::json& message, PassedHandle* handle) {
  if (!connected()) return;
  constexpr auto own = Outbox::From::channel;
  SendCallback nobody;
  const auto refused = handle == nullptr ? outbox_.add(message, nobody, own)
                                         : outbox_.add(message, *handle, nobody, own);
  if (refused) return;
  if (trace_ != nullptr) trace_out(outbox_.last(), true);
  taken(handle);
}

void Endpoint::taken(PassedHandle* handle) {
  if (handle != nullptr && handle->taken) handle->taken();
  transmit();
}

bool Endpoint::refuse(Error error, SendCallback& sent) {
  drain_due_ = drain_due_ || error.code() == Errc::queue_full;
  report(std::move(error), std::move(sent));
  return false;
}

// The channel is over. A program that was not forked never had one: that is an error like any
// other.
bool Endpoint::lose(SendCallback& sent) {
  if (state_ == State::never_open) return refuse(Error(Errc::channel_closed), sent);
  ++lost_messages_;
  if (core_ == nullptr) return false;
  const std::error_code why = failed_to_open_ ? failed_to_open_ : Errc::channel_closed;
  core_->defer([keep = owner_.shared_from_this(), this, why, sent = std::move(sent)] {
    if (sent) {
      sent(why);
    } else if (!failed_to_open_) {
      owner_.on_loss(Error(why, "a message was not sent"));
    }
  });
  return false;
}

void Endpoint::report(Error error, SendCallback sent) {
  if (core_ == nullptr) return;
  core_->defer(
      [keep = owner_.shared_from_this(), this, error = std::move(error), sent = std::move(sent)] {
        if (sent) {
          sent(error.code());
        } else {
          owner_.on_error(error);
        }
      });
}

// Messages sent in quick succession are written together. Even then the first one of a turn is
// written at once, unless more input is already there to be answered.
void Endpoint::transmit() noexcept {
  const bool dense = core_->pace().sent(uv::Pace::now());
  if (stream_->awaiting_writable()) return;
  const bool first = std::exchange(last_sent_turn_, core_->turn()) != core_->turn();
  if (!dense || outbox_.queued() >= burst || (first && !inbox_.has_line())) {
    write_queued();
  } else {
    flush_at_turn_end();
  }
}

void Endpoint::flush_at_turn_end() noexcept {
  if (!std::exchange(flush_due_, true)) core_->flush_at_turn_end(*this);
}

void Endpoint::flush_turn() noexcept {
  flush_due_ = false;
  write_queued();
}

bool Endpoint::flush() {
  write_queued();
  return outbox_.queued() == 0;
}

void Endpoint::write_queued() noexcept {
  while (stream_ && !end_due_ && !stream_->awaiting_writable()) {
    if (outbox_.handle_unknown_to_peer()) {
      cancel_handle(Errc::invalid_handle_type);
      continue;
    }
    const Outbox::Piece piece = outbox_.front();
    if (piece.bytes.empty()) break;
    const std::string_view bytes = piece.bytes.substr(0, most_at_once);
    const std::string_view then = piece.then.substr(0, most_at_once);
    const int written = stream_->write(bytes, then, piece.beside);
    if (refused_beside(written, piece)) {
      cancel_handle(system_code(-written));
      continue;
    }
    if (written < 0) return end_when_read(-written);
    count_written(static_cast<std::size_t>(written));
    if (static_cast<std::size_t>(written) < bytes.size() + then.size()) {
      stream_->await_writable();
      wait_for_progress();
    }
  }
  if (stream_) await_answer();
  if (stream_ && state_ == State::draining && outbox_.empty()) end({});
}

// While the channel is not about to close, the timer decides nothing, so it need not be short.
void Endpoint::wait_for_progress() noexcept {
  constexpr auto shortest_when_open = std::chrono::milliseconds(100);
  unread_ = stream_->unread();
  const auto patience = options_.flush_timeout;
  stalled_->start(connected() ? std::max(patience, shortest_when_open) : patience);
}

void Endpoint::on_writable() {
  stalled_->stop();
  write_queued();
}

void Endpoint::count_written(std::size_t n) noexcept {
  outbox_.written(n);
  if (outbox_.due() > 0) schedule(Due::sent);
  if (drain_due_ && connected() && outbox_.queued() <= low_mark_) {
    drain_due_ = false;
    schedule(drain_task_);
  }
}

// Gives up a peer that has taken no byte while the channel was to close all that time: it is
// draining, or nothing else keeps the loop alive. A peer that waits for our bytes is not given up:
// this process may have been stopped, and timers run before the loop polls.
void Endpoint::on_stalled() {
  if (!stream_ || !stream_->awaiting_writable()) return;
  if (stream_->refused()) return end_when_read(EPIPE);
  const bool progress = unread_ != stream_->unread() || stream_->writable();
  const bool to_close = state_ == State::draining || core_->only_writes_left();
  const bool was_to_close = std::exchange(to_close_, to_close);
  if (!progress && to_close && was_to_close) return end(system_code(ECANCELED));
  wait_for_progress();
}

// --- sent handles

// Keeps the loop alive for the messages that the handle holds back.
void Endpoint::await_answer() noexcept {
  const bool awaits = outbox_.awaits_answer() || outbox_.awaits_peer();
  unanswered_->set_ref(awaits && outbox_.queued() > 0);
  if (std::exchange(awaits_answer_, awaits) == awaits) return;
  unanswered_->stop();
  const bool for_ever = connected() && options_.handle_timeout.count() == 0;
  if (!awaits || for_ever) return;
  unanswered_->start(connected() ? options_.handle_timeout : patience_to_close());
}

// Returns how long to wait for an answer once the channel is to close: no longer than for a write.
std::chrono::milliseconds Endpoint::patience_to_close() const {
  if (options_.handle_timeout.count() == 0) return options_.flush_timeout;
  return std::min(options_.handle_timeout, options_.flush_timeout);
}

void Endpoint::handle_answered(bool arrived) {
  const Outbox::Answered answered = outbox_.answered(arrived);
  if (answered == Outbox::Answered::unasked) return;
  awaits_answer_ = false;
  unanswered_->stop();
  if (stream_) write_queued();
  if (answered != Outbox::Answered::lost) return;
  if (outbox_.has_refused()) return schedule(Due::refused);
  owner_.on_error(Error(Errc::handle_lost, "the peer refused it four times"));
}

void Endpoint::handle_late() {
  awaits_answer_ = false;
  give_up_waiting();
  write_queued();
}

// Gives up the handle that everything waits for. Returns false if there is none.
bool Endpoint::give_up_waiting() noexcept {
  if (outbox_.awaits_peer()) {
    cancel_handle(Errc::invalid_handle_type);
    return true;
  }
  if (!outbox_.awaits_answer()) return false;
  outbox_.forget_handle();
  handle_failed(Errc::handle_lost);
  return true;
}

// Gives up the first handle and its message: neither is sent.
void Endpoint::cancel_handle(std::error_code why) noexcept {
  const bool has_callback = outbox_.cancel_handle(why);
  if (outbox_.due() > 0) schedule(Due::sent);
  if (outbox_.has_refused()) schedule(Due::refused);
  if (!has_callback) handle_failed(why);
}

void Endpoint::handle_failed(std::error_code why) noexcept {
  ++failed_handles_;
  failed_because_ = why;
  schedule(Due::failed_handles);
}

void Endpoint::cancel(std::error_code why) noexcept {
  const Outbox::Lost lost = outbox_.cancel(why);
  lost_messages_ += lost.messages;
  lost_ = lost.without_callback;
  lost_because_ = why;
  if (outbox_.due() > 0) schedule(Due::sent);
  if (lost_ > 0) schedule(Due::lost);
}

void Endpoint::schedule(Due event) noexcept {
  due_.schedule(event, core_, owner_.shared_from_this());
}

void Endpoint::emit(Due event) {
  switch (event) {
    case Due::sent: return call_sent();
    case Due::lost: return report_lost();
    case Due::failed_handles: return report_failed_handles();
    case Due::refused: return call_refused();
  }
}

// Calls only the callbacks that are due now: those of messages sent by a callback wait for the next
// turn.
void Endpoint::call_sent() {
  for (std::size_t left = outbox_.due(); left > 0; --left) {
    due_.set_due(Due::sent, outbox_.due() > 1);
    outbox_.call_first_due();
  }
}

void Endpoint::call_refused() {
  for (const auto& refused : outbox_.take_refused()) refused();
}

void Endpoint::report_lost() {
  Error error(lost_because_, std::to_string(lost_) +
                                 " sent message(s) could not be written before the channel closed");
  lost_ = 0;
  owner_.on_loss(std::move(error));
}

void Endpoint::report_failed_handles() {
  const auto count = std::to_string(std::exchange(failed_handles_, 0));
  owner_.on_error(Error(failed_because_, count + " handle(s) sent beside messages are "
                                                 "given up, and closed here"));
}

void Endpoint::write_all_now() {
  using std::chrono::steady_clock;
  // The answer may be in the inbox already.
  if (outbox_.awaits_answer() || outbox_.awaits_peer()) look_for_answers();
  std::size_t unread = stream_ ? stream_->unread() : 0;
  auto last_progress = steady_clock::now();
  while (stream_ && !outbox_.empty()) {
    if (outbox_.handle_unknown_to_peer()) {
      cancel_handle(Errc::invalid_handle_type);
      continue;
    }
    const Outbox::Piece piece = outbox_.front();
    const bool to_write = !piece.bytes.empty();
    const int written =
        to_write ? stream_->write(piece.bytes.substr(0, most_at_once), {}, piece.beside) : 0;
    if (refused_beside(written, piece)) {
      cancel_handle(system_code(-written));
      continue;
    }
    if (written < 0) return;
    outbox_.written(static_cast<std::size_t>(written));
    const auto give_up_at =
        last_progress + (to_write ? options_.flush_timeout : patience_to_close());
    const auto now = steady_clock::now();
    const bool late = now >= give_up_at;
    bool progress = written > 0;
    if (late && !progress) {
      const std::size_t before = std::exchange(unread, stream_->unread());
      progress = unread != before;
    }
    if (late && !to_write) {
      look_for_answers();  // this process may have been stopped: what came meanwhile is in time
      progress = progress || !(outbox_.awaits_answer() || outbox_.awaits_peer());
    }
    if (late && !progress && !give_up_waiting()) return;
    if (late || progress) {
      last_progress = now;
      continue;
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(give_up_at - now);
    const bool came = stream_->wait(to_write, left).for_reading;
    if (came && stream_->available() == 0) return;
    if (came) look_for_answers();
  }
}

}  // namespace tine::channel
