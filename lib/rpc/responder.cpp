#include "rpc/responder.hpp"

#include <new>
#include <utility>

#include "rpc/error_details.hpp"
#include "rpc/prepare.hpp"
#include "rpc/state.hpp"
#include "tine/error.hpp"

namespace tine::rpc {

using nlohmann::json;

// --- requests

// What came beside the request cannot be taken twice, so without memory for it the request is refused.
void Responder::take_request(const Letter& letter, channel::ReceivedDescriptors* beside) {
  std::shared_ptr<Incoming> incoming;
  if (beside == nullptr) {
    incoming = prepare([&] { return admit(letter, nullptr); });
  } else {
    try {
      incoming = admit(letter, beside);
    } catch (const std::bad_alloc&) {
      refuse(letter, internal_error, "there is no memory for the request");
      throw;
    }
  }
  json none;
  if (incoming) handle_request(incoming, letter.params == nullptr ? none : *letter.params);
}

// Returns null if the request is refused.
std::shared_ptr<Incoming> Responder::admit(const Letter& letter,
                                           channel::ReceivedDescriptors* beside) {
  if (incoming_.find(*letter.id) != incoming_.end()) {
    refuse(letter, invalid_request, "the id is in use");
    return nullptr;
  }
  if (incoming_.size() >= state_.options().incoming_limit) {
    refuse(letter, too_many_requests, "too many requests wait for their answers");
    return nullptr;
  }
  const auto handle = state_.handle_from(beside, [&] {
    refuse(letter, invalid_request, "what came beside the request is no handle");
  });
  if (!handle) return nullptr;
  Incoming::Request request{*letter.id, std::string(letter.method), *handle};
  if (letter.timeout) request.deadline = deadline_after(Clock::now(), *letter.timeout);
  auto incoming = Incoming::make(std::move(request));
  try {
    add(*incoming);
  } catch (...) {
    forget(*incoming);
    throw;
  }
  incoming->open(state_.shared_from_this());
  return incoming;
}

void Responder::add(Incoming& incoming) {
  incoming_.emplace(incoming.request().id, &incoming);
  deadlines_.add(incoming.request().deadline, &incoming);
  alarm_.set(*state_.core(), incoming.request().deadline);
}

void Responder::handle_request(const std::shared_ptr<Incoming>& incoming, json& params) {
  const std::string& method = incoming->request().method;
  try {
    if (const auto handler = handlers_.of_request(method)) {
      (*handler)(params, incoming->reply());
    } else if (const auto fallback = handlers_.fallback()) {
      (*fallback)(method, params, incoming->reply());
    } else {
      incoming->fail(RpcError(method_not_found, "no handler of the method " + method));
    }
  } catch (...) {
    incoming->fail_with_exception();
  }
}

void Responder::refuse(const Letter& letter, int code, const char* text) {
  if (!state_.connected()) return;
  const Object message =
      state_.envelope().failure(*letter.id, letter.method, {.code = code, .message = text});
  if (const auto tried = state_.send(message); tried.refused) state_.report(*tried.refused);
}

// --- answers

std::optional<RpcError> Responder::answer(const Incoming::Request& request, detail::Value result,
                                          const Handle& handle, bool keep_open) {
  if (!state_.connected()) return std::nullopt;
  const Object message = state_.envelope().result(request.id, request.method, std::move(result));
  const auto tried = state_.send(message, handle, keep_open);
  if (!tried.refused) return std::nullopt;
  return answer(request, RpcError(internal_error, tried.refused->what()));
}

std::optional<RpcError> Responder::answer(const Incoming::Request& request, const RpcError& error) {
  if (!state_.connected()) return std::nullopt;
  const Failure failure = failure_of(error);
  const auto& envelope = state_.envelope();
  auto tried = state_.send(envelope.failure(request.id, request.method, failure));
  if (tried.refused && tried.refused->code() == Errc::invalid_value) {
    const Failure plain{failure.code, "the error cannot be sent"};
    tried = state_.send(envelope.failure(request.id, request.method, plain));
  }
  if (!tried.refused) return std::nullopt;
  if (tried.refused->code() == Errc::queue_full) return error;
  state_.report(*tried.refused);
  return std::nullopt;
}

void Responder::owe_later() noexcept {
  any_owed_ = true;
  state_.schedule_payment();
}

void Responder::drained() noexcept {
  if (any_owed_) state_.schedule_payment();
}

// One that is paid leaves the table. If the queue is full again, "drain" follows.
void Responder::pay_all() {
  for (auto next = incoming_.begin(); next != incoming_.end();) {
    Incoming& incoming = *next++->second;
    if (incoming.owes_answer() && !incoming.pay()) return;
  }
  any_owed_ = false;
}

void Responder::forgive_all() noexcept {
  if (!std::exchange(any_owed_, false)) return;
  for (auto next = incoming_.begin(); next != incoming_.end();) {
    Incoming& incoming = *next++->second;
    if (incoming.owes_answer()) incoming.forgive();
  }
}

bool Responder::progress(const Incoming::Request& request, detail::Value value) {
  if (!state_.connected()) return false;
  const Object message = state_.envelope().progress(request.id, std::move(value));
  if (message.empty()) return false;
  const auto tried = state_.send(message);
  if (tried.refused) state_.report(*tried.refused);
  return !tried.hold;
}

void Responder::forget(Incoming& incoming) noexcept {
  deadlines_.remove(incoming.request().deadline, &incoming);
  incoming_.erase(incoming.request().id);
}

// --- notifications

bool Responder::take_notification(const Letter& letter) {
  const auto listener = handlers_.of_notification(letter.method);
  if (!listener) return false;
  json none;
  const auto method = prepare([&] { return std::string(letter.method); });
  const std::string wrong = (*listener)(letter.params == nullptr ? none : *letter.params);
  if (!wrong.empty()) {
    state_.on_error(Error(Errc::message_type, "a notification of " + method + ": " + wrong));
  }
  return true;
}

void Responder::take_cancel(const Letter& letter) {
  const auto found = incoming_.find(*letter.id);
  if (found == incoming_.end()) return;  // it has been answered
  if (const auto incoming = found->second->weak_from_this().lock()) incoming->request_stop(true);
}

// --- stops

void Responder::look_at_deadlines() {
  const auto now = Clock::now();
  while (const auto incoming = deadlines_.due(now)) {
    stop_later(**incoming);
    deadlines_.remove((*incoming)->request().deadline, *incoming);
  }
  if (state_.core() != nullptr) alarm_.set(*state_.core(), deadlines_.next());
}

void Responder::channel_closed() noexcept {
  forgive_all();
  if (incoming_.empty()) return;
  stop_all_ = true;
  state_.schedule_stops();
}

// A request that is stopped twice, because memory has run out between, notices nothing.
void Responder::add_all_stops() {
  if (!stop_all_) return;
  for (const auto& [id, incoming] : incoming_) stopping_.push_back(incoming->weak_from_this());
  stop_all_ = false;
}

void Responder::close() noexcept {
  forgive_all();
  alarm_.close();
}

void Responder::stop_later(Incoming& incoming) {
  stopping_.push_back(incoming.weak_from_this());
  state_.schedule_stops();
}

}  // namespace tine::rpc
