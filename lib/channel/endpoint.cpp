#include "channel/endpoint.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <new>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "wire/internal_message.hpp"

namespace tine::channel {

namespace {

// What a handle of the peer's is answered with.
constexpr std::string_view ack = "{\"cmd\":\"NODE_HANDLE_ACK\"}\n";
constexpr std::string_view nack = "{\"cmd\":\"NODE_HANDLE_NACK\"}\n";

// The first that a child of tine's says to a parent that is tine's.
constexpr std::string_view hello = "NODE_TINE";

// Small messages of one turn are written together, in pieces of this size: larger ones keep the
// peer waiting, smaller ones cost system calls.
constexpr std::size_t burst = std::size_t{16} << 10;

// The most that one system call is asked to write.
constexpr std::size_t most_at_once = std::size_t{1} << 20;

std::error_code system_code(int error) { return {error, std::generic_category()}; }

std::string bad_lines_text(const Inbox::Item& item) {
  std::string text = "a line that came in is no message, " + item.bad->text();
  if (item.bad_lines > 1) {
    text += " (and " + std::to_string(item.bad_lines - 1) + " more bad lines after it)";
  }
  return text;
}

// Of a write: whether the peer is gone. Else it is what lies beside the bytes that cannot go.
bool is_end(int error) { return error == EPIPE || error == ECONNRESET || error == ENOTCONN; }

bool refused_beside(int written, const Outbox::Piece& piece) {
  return written < 0 && !piece.beside.empty() && !is_end(-written);
}

bool is_internal(const nlohmann::json& message) { return !wire::internal_command(message).empty(); }
bool is_internal(Text) { return false; }

std::size_t descriptors_told_of(const nlohmann::json& line) {
  const auto count = line.find("count");
  const bool more = count != line.end() && count->is_number_unsigned() &&
                    line.value("type", nlohmann::json()) == PassedHandle::descriptors_type;
  return more ? count->get<std::size_t>() : 1;
}

std::string joined(const std::vector<std::string>& reasons) {
  std::string all;
  for (const std::string& reason : reasons) all += (all.empty() ? "" : "; ") + reason;
  return all;
}

}  // namespace

Endpoint::Endpoint(uv::LoopCore& core, Owner& owner, const ChannelOptions& options)
    : core_(&core),
      owner_(owner),
      options_(options),
      inbox_(options),
      outbox_(options),
      low_mark_(std::min(options.send_mark, options.send_limit) / 2) {}

void Endpoint::open(uv::Descriptor socket) {
  stalled_.emplace(*core_, [this] { on_stalled(); });
  stalled_->set_ref(false);
  unanswered_.emplace(*core_, [this] { handle_late(); });
  unanswered_->set_ref(false);
  uv::Stream::User& user = *this;
  using Takes = uv::Stream::Takes;
  stream_ = std::make_unique<uv::Stream>(
      *core_, std::move(socket), user,
      options_.descriptor_limit > 0 ? Takes::descriptors : Takes::bytes);
  state_ = State::open;
  update_reading();
  update_ref();
}

// --- receiving

void Endpoint::on_read(std::size_t n) {
  inbox_.advance(n);
  pump();
}

void Endpoint::on_descriptors(std::span<uv::Descriptor> came) noexcept {
  descriptors_dropped_ = !inbox_.take(came) || descriptors_dropped_;
}

Wanted Endpoint::wanted() const { return paused_ ? Wanted::nothing : owner_.wanted(); }

// Tells what is there to be told. When a listener throws, the rest stays, for the next turn.
void Endpoint::pump() {
  if (pumping_ || core_ == nullptr) return;
  if (core_->halted()) return pump_next_turn();

  const auto keep = owner_.shared_from_this();
  struct Pumping {
    explicit Pumping(Endpoint& endpoint) : self(endpoint) { self.pumping_ = true; }
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
  inbox_.close_stray();
  if (std::exchange(descriptors_dropped_, false)) {
    owner_.on_error(Error(Errc::handle_refused,
                          "more descriptors came than descriptor_limit, which is " +
                              std::to_string(options_.descriptor_limit) + "; they were closed"));
  }
  if (pumping.unfinished || state_ != State::ended) return;

  state_ = State::closed;
  schedule(disconnect_task_);
  owner_.on_ended();
}

void Endpoint::schedule(uv::Task& task) noexcept {
  if (core_ != nullptr) core_->defer(task, owner_.shared_from_this());
}

void Endpoint::pump_next_turn() noexcept {
  if (core_ != nullptr) core_->defer_to_next_turn(pump_task_, owner_.shared_from_this());
}

// False: it gives way to the rest of the loop, and there is more.
bool Endpoint::deliver() {
  using Clock = std::chrono::steady_clock;
  constexpr auto long_enough = std::chrono::milliseconds(1);
  std::optional<Clock::time_point> first_bad;
  while (core_ != nullptr) {
    const Inbox::Item item = inbox_.next(wanted());
    if (trace_ != nullptr) trace_in(item);
    if (!peer_known_ && item.kind != Inbox::Kind::nothing && item.command != hello) {
      set_peer(Outbox::Peer::other);
    }
    switch (item.kind) {
      case Inbox::Kind::nothing: return true;
      case Inbox::Kind::message: tell(item); break;
      case Inbox::Kind::internal: tell_internal(item); break;
      case Inbox::Kind::bad:
        owner_.on_error(Error(Errc::bad_message, bad_lines_text(item)).at(item.bad->offset));
        if (!first_bad) first_bad = Clock::now();
        if (item.gave_way || Clock::now() - *first_bad > long_enough) return false;
        break;
      case Inbox::Kind::overflow:
        end(system_code(ECANCELED));
        owner_.on_error(
            Error(Errc::message_too_long, "a line that came in is longer than max_line, which is " +
                                              std::to_string(options_.max_line) +
                                              " bytes; the channel is closed"));
        break;
    }
  }
  return true;
}

void Endpoint::tell(const Inbox::Item& item) {
  Message message(item.text, &inbox_.value());
  tell(message);
}

// What does not convert is told even if a listener behind throws.
void Endpoint::tell(Message& message) {
  const auto mismatch = [&] {
    return Error(Errc::message_type,
                 "a message is not what its listener takes: " + joined(message.failures()));
  };
  try {
    owner_.on_message(message);
  } catch (...) {
    if (!message.failures().empty()) report(mismatch());
    throw;
  }
  if (!message.failures().empty()) owner_.on_error(mismatch());
}

// What nobody knows is ignored, as in Node.
void Endpoint::tell_internal(const Inbox::Item& item) {
  if (item.command == "NODE_HANDLE") {
    handle_came(item);
  } else if (item.command == "NODE_HANDLE_ACK") {
    handle_answered(true);
  } else if (item.command == "NODE_HANDLE_NACK") {
    handle_answered(false);
  } else if (item.command == hello) {
    set_peer(Outbox::Peer::tine);
  } else {
    owner_.on_internal(inbox_.value(), {});
  }
}

// It goes with the first message, or at the end of the turn: not to cost a write.
void Endpoint::greet() {
  set_peer(Outbox::Peer::tine);
  SendCallback nobody = [](std::error_code) {};
  if (outbox_.add(nlohmann::json{{"cmd", hello}}, nobody)) return;
  if (trace_ != nullptr) trace_out(outbox_.last(), true);
  if (!std::exchange(flush_due_, true)) core_->flush_at_turn_end(*this);
}

void Endpoint::set_peer(Outbox::Peer peer) {
  peer_known_ = true;
  if (outbox_.awaits_peer()) awaits_answer_ = false;  // an answer has a time of its own
  outbox_.set_peer(peer);
  if (stream_) write_queued();
}

// The line may be within another, as Node writes it when it does so again: that is one handle, and one
// answer.
void Endpoint::handle_came(const Inbox::Item& item) {
  nlohmann::json* line = &inbox_.value();
  while (wire::internal_command((*line)["msg"]) == "NODE_HANDLE") line = &(*line)["msg"];
  auto descriptors = inbox_.descriptors_of(item, descriptors_told_of(*line));
  if (!item.stored) answer(descriptors.empty() ? nack : ack);
  if (descriptors.empty()) {
    if (options_.descriptor_limit > 0) return;  // the peer sends it again, or tells its user
    return owner_.on_error(
        Error(Errc::handle_refused, "a handle came beside a message; both were dropped"));
  }

  nlohmann::json value = (*line)["msg"];
  const bool internal = !wire::internal_command(value).empty();
  if (!internal && wanted() == Wanted::nothing) return inbox_.store(item, descriptors);
  Handle handle;
  try {
    handle = owner_.make_handle(*line, std::move(descriptors));
  } catch (const Error& error) {
    return owner_.on_error(error);
  }
  if (internal) return owner_.on_internal(value, handle);
  const std::string text = value.dump();
  Message message(text, &value, std::move(handle));
  tell(message);
}

void Endpoint::answer(std::string_view line) noexcept {
  if (!stream_) return;
  outbox_.answer(line);
  if (trace_ != nullptr) trace_out(line.substr(0, line.size() - 1), true);
  write_queued();
}

void Endpoint::trace_in(const Inbox::Item& item) noexcept {
  if (item.kind == Inbox::Kind::nothing || item.kind == Inbox::Kind::overflow) return;
  trace_->write({.direction = Trace::Direction::in,
                 .channel = trace_number_,
                 .peer = peer_,
                 .text = item.text,
                 .internal = item.kind == Inbox::Kind::internal,
                 .queued = inbox_.stored(),
                 .bad = item.bad ? std::string_view(item.bad->reason) : std::string_view()});
}

void Endpoint::trace_out(std::string_view text, bool internal) noexcept {
  trace_->write({.direction = Trace::Direction::out,
                 .channel = trace_number_,
                 .peer = peer_,
                 .text = text,
                 .internal = internal,
                 .queued = outbox_.queued()});
}

void Endpoint::set_paused(bool paused) {
  paused_ = paused;
  listeners_changed();
}

void Endpoint::listeners_changed() {
  if (core_ == nullptr) return;
  update_ref();
  update_reading();
  if (!pumping_ && wanted() != Wanted::nothing && inbox_.has_line()) schedule(pump_task_);
}

void Endpoint::update_reading() {
  if (!stream_) return;
  const bool room = wanted() != Wanted::nothing || (!paused_ && !inbox_.full());
  stream_->set_reading(room && !pump_task_.due());
}

void Endpoint::update_ref() {
  if (stream_) stream_->set_ref(explicit_ref_.value_or(owner_.keeps_loop()));
}

void Endpoint::set_ref(bool ref) {
  explicit_ref_ = ref;
  update_ref();
}

// --- sending

bool Endpoint::send(const nlohmann::json& message, SendCallback sent) {
  return send_any(message, nullptr, sent);
}

bool Endpoint::send(Text message, SendCallback sent) { return send_any(message, nullptr, sent); }

bool Endpoint::send(const nlohmann::json& message, const Handle& handle, bool keep_open,
                    SendCallback sent) {
  return send_with_handle(message, handle, keep_open, sent);
}

bool Endpoint::send(Text message, const Handle& handle, bool keep_open, SendCallback sent) {
  return send_with_handle(message, handle, keep_open, sent);
}

template <class Message>
bool Endpoint::send_with_handle(const Message& message, const Handle& handle, bool keep_open,
                                SendCallback& sent) {
  if (!connected()) return refuse(Error(Errc::channel_closed), sent);
  try {
    PassedHandle passed = owner_.pass(handle, keep_open);
    return send_any(message, &passed, sent);
  } catch (const Error& error) {
    return refuse(error, sent);
  }
}

void Endpoint::send_internal(const nlohmann::json& message) {
  SendCallback nobody = [](std::error_code) {};
  send_any(message, nullptr, nobody);
}

void Endpoint::send_internal(const nlohmann::json& message, PassedHandle handle) {
  SendCallback nobody = [](std::error_code) {};
  send_any(message, &handle, nobody);
}

// Nothing can fail once the message is taken.
template <class Message>
bool Endpoint::send_any(const Message& message, PassedHandle* handle, SendCallback& sent) {
  if (!connected()) return refuse(Error(Errc::channel_closed), sent);
  auto refused =
      handle == nullptr ? outbox_.add(message, sent) : outbox_.add(message, *handle, sent);
  if (refused) return refuse(std::move(*refused), sent);
  if (handle != nullptr && handle->taken) handle->taken();
  if (trace_ != nullptr) trace_out(outbox_.last(), is_internal(message));
  transmit();
  if (outbox_.queued() == 0 || outbox_.queued() < options_.send_mark) return true;
  drain_due_ = true;
  return false;
}

bool Endpoint::refuse(Error error, const SendCallback& sent) {
  drain_due_ = drain_due_ || error.code() == Errc::queue_full;
  report(std::move(error), sent);
  return false;
}

void Endpoint::report(Error error, const SendCallback& sent) {
  if (core_ == nullptr) return;
  core_->defer([keep = owner_.shared_from_this(), this, error = std::move(error), sent] {
    if (sent) {
      sent(error.code());
    } else {
      owner_.on_error(error);
    }
  });
}

// The first message of a turn goes out at once, unless the next one to answer is there already:
// then more will follow, and they go together.
void Endpoint::transmit() noexcept {
  if (stream_->awaiting_writable()) return;
  const bool first = std::exchange(last_sent_turn_, core_->turn()) != core_->turn();
  if (outbox_.queued() >= burst || (first && !inbox_.has_line())) {
    write_queued();
  } else if (!std::exchange(flush_due_, true)) {
    core_->flush_at_turn_end(*this);
  }
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
    const int written = stream_->write(bytes, piece.beside);
    if (refused_beside(written, piece)) {
      cancel_handle(system_code(-written));
      continue;
    }
    if (written < 0) return end_when_read(-written);
    count_written(static_cast<std::size_t>(written));
    if (static_cast<std::size_t>(written) < bytes.size()) {
      stream_->await_writable();
      wait_for_progress();
    }
  }
  if (stream_) await_answer();
  if (stream_ && state_ == State::draining && outbox_.empty()) end({});
}

// While the channel is not to close, the wait decides nothing: it need not be short.
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
  if (outbox_.due() > 0) schedule(sent_task_);
  if (drain_due_ && connected() && outbox_.queued() <= low_mark_) {
    drain_due_ = false;
    schedule(drain_task_);
  }
}

// A peer that takes no byte is given up if the channel was to close all that time: it is draining, or
// nothing else keeps the loop. Not one that waits for us: this process may have been stopped, and
// timers run before what the loop polls.
void Endpoint::on_stalled() {
  if (!stream_ || !stream_->awaiting_writable()) return;
  if (stream_->refused()) return end_when_read(EPIPE);
  const bool progress = unread_ != stream_->unread() || stream_->writable();
  const bool to_close = state_ == State::draining || core_->only_writes_left();
  const bool was_to_close = std::exchange(to_close_, to_close);
  if (!progress && to_close && was_to_close) return end(system_code(ECANCELED));
  wait_for_progress();
}

// --- the handles that were sent

// The loop runs on for what is behind the handle.
void Endpoint::await_answer() noexcept {
  const bool awaits = outbox_.awaits_answer() || outbox_.awaits_peer();
  unanswered_->set_ref(awaits && outbox_.queued() > 0);
  if (std::exchange(awaits_answer_, awaits) == awaits) return;
  unanswered_->stop();
  const bool for_ever = connected() && options_.handle_timeout.count() == 0;
  if (!awaits || for_ever) return;
  unanswered_->start(connected() ? options_.handle_timeout : patience_to_close());
}

// For an answer, once the channel is to close: not longer than for a write.
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
  owner_.on_error(Error(Errc::handle_lost, "the peer refused it four times"));
}

void Endpoint::handle_late() {
  awaits_answer_ = false;
  give_up_waiting();
  write_queued();
}

// Gives up the handle that all waits for. False: it was not that.
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

// Neither it nor its message goes out.
void Endpoint::cancel_handle(std::error_code why) noexcept {
  if (!outbox_.cancel_handle(why)) return handle_failed(why);
  schedule(sent_task_);
}

void Endpoint::handle_failed(std::error_code why) noexcept {
  ++failed_handles_;
  failed_because_ = why;
  schedule(sent_task_);
}

void Endpoint::cancel(std::error_code why) noexcept {
  lost_ = outbox_.cancel(why);
  lost_because_ = why;
  if (outbox_.due() + lost_ > 0) schedule(sent_task_);
}

// Those that are due now: what a callback sends waits for the next turn.
void Endpoint::tell_sent() {
  try {
    for (std::size_t due = outbox_.due(); due > 0; --due) outbox_.call_first_due();
    if (lost_ > 0) report_lost();
    if (failed_handles_ > 0) report_failed_handles();
  } catch (...) {
    if (outbox_.due() + lost_ + failed_handles_ > 0)
      core_->defer_first(sent_task_, owner_.shared_from_this());
    throw;
  }
}

void Endpoint::report_lost() {
  Error error(lost_because_, std::to_string(lost_) +
                                 " sent message(s) could not be written before the channel closed");
  lost_ = 0;
  owner_.on_error(std::move(error));
}

void Endpoint::report_failed_handles() {
  const auto count = std::to_string(std::exchange(failed_handles_, 0));
  owner_.on_error(Error(failed_because_, count + " handle(s) sent beside messages are "
                                                 "given up, and closed here"));
}

void Endpoint::write_all_now() {
  using std::chrono::steady_clock;
  // What they are told may have been read already.
  if (outbox_.awaits_answer() || outbox_.awaits_peer()) look_for_answers();
  std::size_t unread = stream_ ? stream_->unread() : 0;
  auto last_progress = steady_clock::now();
  while (stream_ && !outbox_.empty()) {
    const Outbox::Piece piece = outbox_.front();
    const bool to_write = !piece.bytes.empty();
    const int written =
        to_write ? stream_->write(piece.bytes.substr(0, most_at_once), piece.beside) : 0;
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
    const bool progress =
        written > 0 || (late && std::exchange(unread, stream_->unread()) != unread);
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

// What else came is dropped. It must be read: a peer that waits to write does not read.
void Endpoint::look_for_answers() {
  if (!stream_) return;
  stream_->read_available([this](std::size_t n) { inbox_.advance(n); });
  while (true) {
    const Inbox::Item item = inbox_.next(Wanted::nothing);
    if (item.kind == Inbox::Kind::nothing) break;
    if (item.command == "NODE_HANDLE_ACK") outbox_.answered(true);
    if (item.command == "NODE_HANDLE_NACK") outbox_.answered(false);
    if (item.command == hello) outbox_.set_peer(Outbox::Peer::tine);
  }
  inbox_.close_stray();
  inbox_.drop_stored();
}

// --- ending

void Endpoint::disconnect() {
  if (!connected()) return report(Error(Errc::disconnected));
  state_ = State::draining;
  to_close_ = true;
  if (stream_->awaiting_writable()) wait_for_progress();
  awaits_answer_ = false;  // it is given less time from now on
  write_queued();
}

// An end that is seen while messages are told comes after those that are there: the room that the
// rest would be read to is in use.
void Endpoint::end_when_read(int error) noexcept {
  if (!stream_) return;
  end_due_ = error;
  if (pumping_) return;
  try {
    read_rest_and_end();
  } catch (const std::bad_alloc&) {
    pump_next_turn();  // which tries again
  }
}

void Endpoint::read_rest_and_end() {
  stream_->read_available([this](std::size_t n) { inbox_.advance(n); });
  end(system_code(*end_due_));
}

void Endpoint::on_read_end(int error) {
  end_when_read(error == 0 ? EPIPE : error);
  if (error == 0 || error == ECONNRESET) return;
  report(Error(system_code(error), "reading from the channel failed, which is closed"));
}

void Endpoint::on_hang_up() { end_when_read(EPIPE); }
void Endpoint::peer_died() { end_when_read(EPIPE); }

void Endpoint::end(std::error_code unwritten_because) noexcept {
  if (!stream_) return;
  state_ = State::ended;
  torn_ = inbox_.unfinished();
  cancel(unwritten_because);
  core_->forget(*this);
  stalled_.reset();
  unanswered_.reset();
  stream_.reset();
  end_due_.reset();
  schedule(pump_task_);
}

void Endpoint::close() {
  if (stream_) {
    cancel(system_code(ECANCELED));
    core_->forget(*this);
  }
  stalled_.reset();
  unanswered_.reset();
  stream_.reset();
  end_due_.reset();
  state_ = State::closed;
}

void Endpoint::detach() noexcept {
  if (core_ == nullptr) return;
  core_->forget(*this);
  stalled_.reset();
  unanswered_.reset();
  stream_.reset();
  end_due_.reset();
  state_ = State::closed;
  core_ = nullptr;
  outbox_.drop_callbacks();
}

}  // namespace tine::channel
