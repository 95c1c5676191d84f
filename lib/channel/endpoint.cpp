#include "channel/endpoint.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <new>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/system_code.hpp"
#include "wire/internal_message.hpp"

namespace tine::channel {

using base::system_code;

namespace {

// The answers to a handle of the peer.
constexpr std::string_view ack = "{\"cmd\":\"NODE_HANDLE_ACK\"}\n";
constexpr std::string_view nack = "{\"cmd\":\"NODE_HANDLE_NACK\"}\n";

// The command of the first line that a tine child sends to a tine parent.
constexpr std::string_view hello = "NODE_TINE";

std::string bad_lines_text(const Inbox::Item& item) {
  std::string text = "a line that came in is no message, " + item.bad->text();
  if (item.bad_lines > 1) {
    text += " (and " + std::to_string(item.bad_lines - 1) + " more bad lines after it)";
  }
  return text;
}

std::size_t descriptors_told_of(const nlohmann::json& line) {
  const auto count = line.find("count");
  const bool more = count != line.end() && count->is_number_unsigned() &&
                    line.value("type", nlohmann::json()) == PassedHandle::descriptors_type;
  return more ? count->get<std::size_t>() : 1;
}

}  // namespace

Endpoint::Endpoint(uv::LoopCore& core, Owner& owner, const ChannelOptions& options)
    : core_(&core),
      owner_(owner),
      options_(options),
      inbox_(options),
      outbox_(options),
      low_mark_(std::min(options.send_mark, options.send_limit) / 2) {}

void Endpoint::open(uv::StreamEnds ends) {
  stalled_.emplace(*core_, [this] { on_stalled(); });
  stalled_->set_ref(false);
  unanswered_.emplace(*core_, [this] { handle_late(); });
  unanswered_->set_ref(false);
  uv::Stream::User& user = *this;
  using Takes = uv::Stream::Takes;
  stream_ = std::make_unique<uv::Stream>(
      *core_, std::move(ends), user,
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

void Endpoint::on_descriptors(std::span<base::Descriptor> came) noexcept {
  descriptors_dropped_ = !inbox_.take(came) || descriptors_dropped_;
}

Wanted Endpoint::wanted() const { return paused_ ? Wanted::nothing : owner_.wanted(); }

// Delivers what has come in. If a listener throws, the rest is delivered on the next turn.
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
  router_.clear();
  owner_.on_ended();
}

void Endpoint::schedule(uv::Task& task) noexcept {
  if (core_ != nullptr) core_->defer(task, owner_.shared_from_this());
}

void Endpoint::pump_next_turn() noexcept {
  if (core_ != nullptr) core_->defer_to_next_turn(pump_task_, owner_.shared_from_this());
}

// Returns false if there may be more, but the rest of the loop has to run first.
bool Endpoint::deliver() {
  using Clock = std::chrono::steady_clock;
  constexpr auto long_enough = std::chrono::milliseconds(1);
  std::optional<Clock::time_point> first_bad;
  while (core_ != nullptr) {
    core_->flush_late();
    const Inbox::Item item = inbox_.next(wanted(), router_.takes_user_messages());
    if (trace_ != nullptr) trace_in(item);
    if (!peer_known_ && item.kind != Inbox::Kind::nothing && item.command != hello) {
      set_peer(Outbox::Peer::other);
    }
    switch (item.kind) {
      case Inbox::Kind::nothing: return true;
      case Inbox::Kind::message: deliver_message(item); break;
      case Inbox::Kind::internal: handle_internal(item); break;
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

// A message that was stored has been offered already.
void Endpoint::deliver_message(const Inbox::Item& item) {
  const bool offered = !item.stored && router_.takes_user_messages();
  if (offered && router_.offer(Router::Offers::user, inbox_.value(), nullptr)) return;
  if (offered && wanted() == Wanted::nothing) return inbox_.store_last(item);
  owner_.on_message({item.text, inbox_.value()});
}

// Unknown internal messages are ignored, as in Node.
void Endpoint::handle_internal(const Inbox::Item& item) {
  if (item.text.starts_with(wire::bun_mark)) outbox_.mark_own_lines();
  if (item.command == "NODE_HANDLE") {
    handle_came(item);
  } else if (item.command == "NODE_HANDLE_ACK") {
    handle_answered(true);
  } else if (item.command == "NODE_HANDLE_NACK") {
    handle_answered(false);
  } else if (item.command == hello) {
    set_peer(Outbox::Peer::tine);
  } else {
    router_.offer(Router::Offers::internal, inbox_.value(), nullptr);
  }
}

// Sent with the first message, or at the end of the turn, so that it costs no write of its own.
void Endpoint::greet() {
  set_peer(Outbox::Peer::tine);
  SendCallback nobody;
  if (outbox_.add(nlohmann::json{{"cmd", hello}}, nobody, Outbox::From::channel)) return;
  if (trace_ != nullptr) trace_out(outbox_.last(), true);
  if (!std::exchange(flush_due_, true)) core_->flush_at_turn_end(*this);
}

void Endpoint::set_peer(Outbox::Peer peer) {
  peer_known_ = true;
  if (outbox_.awaits_peer()) awaits_answer_ = false;  // an answer has a timeout of its own
  outbox_.set_peer(peer);
  if (stream_) write_queued();
}

// When Node sends a handle again, it wraps the line in another one. That is still one handle, with
// one answer.
void Endpoint::handle_came(const Inbox::Item& item) {
  nlohmann::json* line = &inbox_.value();
  while (wire::internal_command((*line)["msg"]) == "NODE_HANDLE") line = &(*line)["msg"];
  auto descriptors = inbox_.descriptors_of(item, descriptors_told_of(*line));
  const bool internal = !wire::internal_command((*line)["msg"]).empty();
  if (!item.stored) answer(descriptors.empty() ? nack : ack, internal);
  if (descriptors.empty()) {
    if (options_.descriptor_limit > 0) return;  // the peer resends it, or reports it to its user
    return owner_.on_error(
        Error(Errc::handle_refused, "a handle came beside a message; both were dropped"));
  }

  if (!internal && wanted() == Wanted::nothing) return inbox_.store(item, descriptors);
  nlohmann::json value = std::move((*line)["msg"]);
  ReceivedDescriptors beside{*line, std::move(descriptors)};
  if (internal) {
    router_.offer(Router::Offers::internal, value, &beside);
    return;
  }
  const std::string text = value.dump();
  owner_.on_message({text, value, &beside});
}

// If `later`, the line goes out with the reply to the message, or at the end of the turn.
void Endpoint::answer(std::string_view line, bool later) noexcept {
  if (!stream_) return;
  outbox_.answer(line);
  if (trace_ != nullptr) trace_out(line.substr(0, line.size() - 1), true);
  later ? flush_at_turn_end() : write_queued();
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
  using Reading = uv::Stream::Reading;
  stream_->set_reading(room && !pump_task_.due() ? Reading::on : Reading::watching);
}

void Endpoint::update_ref() {
  if (stream_) stream_->set_ref(explicit_ref_.value_or(owner_.keeps_loop()));
}

void Endpoint::set_ref(bool ref) {
  explicit_ref_ = ref;
  update_ref();
}

// Drops everything else that came in. It must be read: a peer that is blocked in a write does not
// read.
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
  if (!connected()) return;
  state_ = State::draining;
  to_close_ = true;
  if (stream_->awaiting_writable()) wait_for_progress();
  awaits_answer_ = false;  // an answer gets less time from now on
  write_queued();
}

// An end that is noticed during delivery waits until the delivery is done: the buffer that the rest
// would be read into is in use.
void Endpoint::end_when_read(int error) noexcept {
  if (!stream_) return;
  end_due_ = error;
  if (pumping_) return;
  try {
    read_rest_and_end();
  } catch (const std::bad_alloc&) {
    pump_next_turn();  // tries again
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

void Endpoint::fail(Error why) {
  close();
  failed_to_open_ = why.code();
  report(std::move(why));
}

void Endpoint::detach() noexcept {
  router_.clear();
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
