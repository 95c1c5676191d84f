#include "rpc/caller.hpp"

#include <chrono>
#include <new>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "rpc/error_details.hpp"
#include "rpc/prepare.hpp"
#include "rpc/state.hpp"
#include "tine/error.hpp"

namespace tine::rpc {

namespace {

RpcError aborted() { return {Errc::aborted, "a request was given up"}; }
std::error_code no_memory() { return std::make_error_code(std::errc::not_enough_memory); }
RpcError timed_out() { return {Errc::timed_out, "a request was not answered"}; }

}  // namespace

// --- sending

void Caller::send(const std::shared_ptr<Pending>& call, Callback<void(Outcome&)> done) {
  const auto unsent = std::move(call->unsent);
  if (state_.core() == nullptr) {  // the loop is gone
    const auto keep = std::move(call->state);
    return;
  }
  call->done = std::move(done);
  try {
    if (auto error = try_send(*call, *unsent)) fail_later(call, std::move(*error));
  } catch (...) {
    pings_.erase(call->id);
    take_out(call->id);
    update_keep();
    drop(*call);
    throw;
  }
}

// Everything that needs memory is done before the request is sent. Returns why it is not sent.
std::optional<RpcError> Caller::try_send(Pending& call, Unsent& unsent) {
  if (unsent.stop.stop_requested()) return aborted();
  if (table_.size() >= state_.options().pending_limit) {
    return RpcError(Errc::queue_full, "a request was refused: " + std::to_string(table_.size()) +
                                          " others wait for their answers");
  }
  const auto now = Clock::now();
  if (unsent.deadline) call.deadline = deadline_after(now, *unsent.deadline);
  if (!keep_alive_) keep_alive_.emplace(*state_.core());
  table_.add(call.shared_from_this());
  update_keep();
  alarm_.set(*state_.core(), call.deadline);
  watch(call, std::move(unsent.stop));
  if (unsent.is_ping) {
    pings_.emplace(call.id, now);
    if (state_.ping()) return std::nullopt;
    pings_.erase(call.id);
    return state_.channel_closed_error();
  }
  const auto tried = state_.send(
      state_.envelope().request(call.id, unsent.method, std::move(unsent.params), unsent.deadline),
      unsent.handle, unsent.keep_open);
  if (!tried.refused) return std::nullopt;
  if (tried.refused->code() == Errc::channel_closed) return state_.channel_closed_error();
  return ErrorDetails::from_refusal(*tried.refused);
}

void Caller::watch(Pending& call, std::stop_token token) {
  if (!token.stop_possible()) return;
  auto& stop = call.make_extras().stop;
  stop.emplace(*state_.core(), call.weak_from_this(), [&call] {
    if (call.state) call.state->caller().stopped(call);
  });
  stop->start(std::move(token));
}

// --- answers

bool Caller::take_answer(const Letter& letter, channel::ReceivedDescriptors* beside) {
  const Id id = table_.given(*letter.id);
  if (id == 0) return false;
  const auto call = pings_.contains(id) ? nullptr : table_.call(id);
  if (!call) {
    ++late_answers_;
    return true;
  }
  const auto handle = state_.handle_from(beside, [&] {
    fail_later(call, {Errc::invalid_handle_type, "what came beside an answer is no handle"});
  });
  if (!handle) return true;
  if (beside == nullptr) {
    answer_came(call, prepare([&] { return error_of(*call, letter); }), letter, {});
  } else {
    answer_came_with_handle(call, letter, *handle);
  }
  return true;
}

// What came beside an answer cannot be taken twice: without memory for it the request fails.
void Caller::answer_came_with_handle(const std::shared_ptr<Pending>& call, const Letter& letter,
                                     Handle handle) {
  std::optional<RpcError> error;
  try {
    error = error_of(*call, letter);
  } catch (const std::bad_alloc&) {
    fail_surely(call, no_memory());
    throw;
  }
  answer_came(call, std::move(error), letter, std::move(handle));
}

// A peer that stops at the deadline may say so before this end has looked at the clock.
std::optional<RpcError> Caller::error_of(const Pending& call, const Letter& letter) {
  if (!letter.failure) return std::nullopt;
  const bool late = letter.failure->code == request_cancelled && Clock::now() >= call.deadline;
  return late ? timed_out() : ErrorDetails::from_peer(*letter.failure);
}

void Caller::answer_came(const std::shared_ptr<Pending>& call, std::optional<RpcError> error,
                         const Letter& letter, Handle handle) {
  Outcome outcome{.value = letter.value, .handle = std::move(handle)};
  if (error) outcome.error = &*error;
  if (take_out(call->id)) call_back(*call, outcome);
}

// The state may be destroyed with the last request, so it is kept until the callback returns. Nothing
// of the user's stays in a request that is settled: its listener of progress may hold the request.
void Caller::call_back(Pending& call, Outcome& outcome) {
  const auto keep = std::move(call.state);
  const auto progress = call.take_progress_listener();
  const auto done = std::move(call.done);
  if (done) done(outcome);
}

bool Caller::take_progress(const Letter& letter) {
  const auto call = table_.call_of_token(*letter.id);
  if (!call) return table_.given(*letter.id) != 0;
  if (call->extras && call->extras->progress) call->extras->progress(*letter.value);
  return true;
}

void Caller::pong() noexcept {
  ponged_ = Clock::now();
  try {
    settle_pings();
  } catch (const std::bad_alloc&) {
    state_.schedule_failures();
  }
}

void Caller::settle_pings() {
  while (!pings_.empty() && pings_.begin()->second <= *ponged_) {
    const auto [id, sent] = *pings_.begin();
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(*ponged_ - sent);
    if (const auto call = table_.call(id)) settle_later({call, took.count()});
    pings_.erase(id);
  }
  ponged_.reset();
}

// --- giving up

void Caller::abort(Pending& call) {
  if (const auto waits = table_.call(call.id)) give_up(waits, aborted());
}

// The stop is told only once.
void Caller::stopped(Pending& call) {
  try {
    abort(call);
  } catch (const std::bad_alloc&) {
    if (const auto waits = table_.call(call.id)) fail_surely(waits, Errc::aborted);
    throw;
  }
}

void Caller::look_at_deadlines() {
  const auto now = Clock::now();
  while (const auto call = table_.due(now)) {
    give_up(call, timed_out());
  }
  if (state_.core() != nullptr) alarm_.set(*state_.core(), table_.next_deadline());
}

// If memory runs out, the request waits on: its owner may give it up again. A ping cannot be cancelled.
void Caller::give_up(const std::shared_ptr<Pending>& call, RpcError error) {
  if (!pings_.contains(call->id)) cancel_at_peer(call->id);
  fail_later(call, std::move(error));
  pings_.erase(call->id);
}

void Caller::cancel_at_peer(Id id) {
  if (!state_.connected()) return;
  const Object message = state_.envelope().cancel(id);
  if (!message.empty()) static_cast<void>(state_.send(message));
}

void Caller::forget(Pending& call) noexcept try {
  const auto keep = call.state;
  const bool waited = take_out(call.id) != nullptr;
  drop(call);
  if (pings_.erase(call.id) == 0 && waited) cancel_at_peer(call.id);
} catch (const std::bad_alloc&) {
}

void Caller::fail_later(const std::shared_ptr<Pending>& call, RpcError error) {
  settle_later({call, nullptr, std::move(error)});
}

// The request leaves the table when it is in the queue: it is always in one of the two, even if memory
// runs out here.
void Caller::settle_later(Settled settled) {
  const Id id = settled.call->id;
  settled_.push_back(std::move(settled));
  take_out(id);
  state_.schedule_settling();
}

std::shared_ptr<Pending> Caller::take_out(Id id) noexcept {
  auto call = table_.extract(id);
  if (call) update_keep();
  return call;
}

void Caller::fail_surely(const std::shared_ptr<Pending>& call, std::error_code why) noexcept {
  call->failing = why;
  state_.schedule_failures();
}

void Caller::channel_closed() noexcept {
  closed_ = true;
  pings_.clear();
  try {
    fail_all();
  } catch (const std::bad_alloc&) {
    state_.schedule_failures();
  }
}

void Caller::fail_all() {
  if (table_.size() == 0) return;
  const RpcError error = state_.channel_closed_error();
  for (const auto& call : table_.all()) fail_later(call, error);
}

// Such requests are rare, so there is no list of them.
void Caller::settle_overdue() {
  if (closed_) return fail_all();
  if (ponged_) settle_pings();
  for (const auto& call : table_.all()) {
    if (!call->failing) continue;
    fail_later(call, RpcError(call->failing, "a request has failed"));
  }
}

// --- the loop

// Requests that wait keep the loop running.
void Caller::update_keep() noexcept {
  if (keep_alive_) keep_alive_->set_ref(table_.size() > 0);
}

void Caller::close() noexcept {
  alarm_.close();
  keep_alive_.reset();
}

// The user may hold the request, but not its callback and its listener of progress.
void Caller::drop(Pending& call) noexcept {
  const auto keep = std::move(call.state);
  const auto progress = call.take_progress_listener();
  const auto done = std::move(call.done);
}

void Caller::drop_all() noexcept {
  close();
  pings_.clear();
  while (!settled_.empty()) {
    const auto call = std::move(settled_.front().call);
    settled_.pop_front();
    drop(*call);
  }
  while (const auto call = table_.extract_any()) drop(*call);
}

}  // namespace tine::rpc
