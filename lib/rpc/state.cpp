#include "rpc/state.hpp"

#include <new>
#include <utility>

#include "process/access.hpp"
#include "rpc/error_details.hpp"
#include "rpc/json_rpc.hpp"
#include "rpc/prepare.hpp"

namespace tine::rpc {

std::shared_ptr<State> State::of(const ChannelEnd& end, const RpcOptions& options) {
  const auto& peer = process::Access::peer_of(end);
  if (!peer || peer->core() == nullptr) return nullptr;
  if (peer->attachment()) return std::static_pointer_cast<State>(peer->attachment());
  const auto state = std::make_shared<State>(*peer->core(), peer, options,
                                             std::make_unique<const JsonRpc>(options.strict));
  peer->attach(state);
  return state;
}

State::State(uv::LoopCore& core, std::weak_ptr<process::Peer> peer, const RpcOptions& options,
             std::unique_ptr<const Envelope> envelope)
    : Resident(core), peer_(std::move(peer)), options_(options), envelope_(std::move(envelope)) {}

void State::handlers_changed() {
  if (const auto peer = peer_.lock(); peer && core() != nullptr) peer->end().listeners_changed();
}

// --- the channel

bool State::connected() const {
  const auto peer = peer_.lock();
  return peer && core() != nullptr && peer->end().connected();
}

State::Tried State::send(base::ValueRef message, const Handle& handle, bool keep_open) {
  const auto peer = peer_.lock();
  if (peer && core() != nullptr) return peer->try_send(message, handle, keep_open);
  return {.refused = Error(Errc::channel_closed)};
}

bool State::notify(const Object& message, SendCallback sent) {
  if (const auto peer = peer_.lock()) return peer->end().send(message, std::move(sent));
  if (sent) defer([sent = std::move(sent)] { sent(Errc::channel_closed); });
  return false;
}

bool State::ping() {
  const auto peer = peer_.lock();
  return peer && core() != nullptr && peer->end().ping();
}

RpcError State::channel_closed_error() const {
  const auto peer = peer_.lock();
  return ErrorDetails::channel_closed(peer ? peer->known_exit() : exit_status_);
}

void State::on_error(Error error) {
  if (const auto peer = peer_.lock()) peer->on_error(std::move(error));
}

void State::report(Error error) {
  if (const auto peer = peer_.lock()) peer->end().report(std::move(error));
}

// --- later turns

void State::defer(Callback<void()> function) {
  if (core() != nullptr) core()->defer(std::move(function));
}

void State::emit(Due event) {
  switch (event) {
    case Due::payment: return due_.attempt(event, [this] { responder_.pay_all(); });
    case Due::stops: return responder_.request_stops(due_, event);
    case Due::failures: return due_.attempt(event, [this] { caller_.settle_overdue(); });
    case Due::settling: return caller_.call_settled(due_, event);
  }
}

// --- process::Attachment

bool State::keeps_loop() const { return responder_.handlers().any(); }

bool State::take(nlohmann::json& message, channel::ReceivedDescriptors* beside) {
  const Letter letter = prepare([&] { return envelope_->open(message); });
  switch (letter.kind) {
    case Letter::Kind::none: return false;
    case Letter::Kind::answer: return caller_.take_answer(letter, beside);
    case Letter::Kind::request: responder_.take_request(letter, beside); return true;
    // Nobody takes a handle beside these.
    case Letter::Kind::notification:
      return beside == nullptr && responder_.take_notification(letter);
    case Letter::Kind::progress:
      return beside == nullptr &&
             (caller_.take_progress(letter) || responder_.take_notification(letter));
    case Letter::Kind::cancel:
      if (beside == nullptr) responder_.take_cancel(letter);
      return beside == nullptr;
  }
  return false;
}

// Without memory for the timer, the requests fail without the exit status.
void State::channel_ended() noexcept {
  ended_ = true;
  responder_.channel_closed();
  const auto peer = peer_.lock();
  if (!peer || !peer->exit_follows()) return fail_calls();
  if (caller_.pending() == 0) return;
  try {
    exit_wait_.emplace(*core(), [this] { fail_calls(); });
    exit_wait_->start(options_.exit_patience);
  } catch (const std::bad_alloc&) {
    fail_calls();
  }
}

void State::exited() noexcept {
  if (const auto peer = peer_.lock()) exit_status_ = peer->known_exit();
  fail_calls();
}

// RawTimer calls a copy of its function, so it may be destroyed by it.
void State::fail_calls() noexcept {
  exit_wait_.reset();
  caller_.channel_closed();
}

// Captures of handlers may hold this.
void State::retired() noexcept {
  const auto keep = weak_from_this().lock();
  if (core() != nullptr && !std::exchange(ended_, true)) responder_.channel_closed();
  if (core() != nullptr) fail_calls();
  caller_.close();
  responder_.close();
  responder_.handlers().clear();
}

void State::loop_closing() noexcept {
  const auto keep = weak_from_this().lock();
  exit_wait_.reset();
  responder_.close();
  caller_.drop_all();
  responder_.handlers().clear();
}

}  // namespace tine::rpc
