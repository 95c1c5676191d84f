#include "rpc/responder.hpp"

#include <utility>

#include "rpc/error_details.hpp"
#include "rpc/state.hpp"
#include "tine/error.hpp"

namespace tine::rpc {

using nlohmann::json;

// --- requests

void Responder::take_request(const Letter& letter, channel::ReceivedDescriptors* beside) {
  if (incoming_.find(*letter.id) != incoming_.end()) {
    return refuse(letter, invalid_request, "the id is in use");
  }
  if (incoming_.size() >= state_.options().incoming_limit) {
    return refuse(letter, too_many_requests, "too many requests wait for their answers");
  }
  const auto handle = state_.handle_from(beside, [&] {
    refuse(letter, invalid_request, "what came beside the request is no handle");
  });
  if (!handle) return;
  Incoming::Request request{*letter.id, std::string(letter.method), *handle};
  if (letter.timeout) request.deadline = deadline_after(Clock::now(), *letter.timeout);
  const auto incoming = std::make_shared<Incoming>(state_.shared_from_this(), std::move(request));
  incoming_.emplace(incoming->request().id, incoming.get());
  deadlines_.add(incoming->request().deadline, incoming.get());
  alarm_.set(*state_.core(), incoming->request().deadline);
  json none;
  handle_request(incoming, letter.params == nullptr ? none : *letter.params);
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

void Responder::answer(const Incoming::Request& request, detail::Value result, const Handle& handle,
                       bool keep_open) {
  if (!state_.connected()) return;
  const Object message = state_.envelope().result(request.id, request.method, std::move(result));
  const auto tried = state_.send(message, handle, keep_open);
  if (tried.refused) answer(request, RpcError(internal_error, tried.refused->what()));
}

void Responder::answer(const Incoming::Request& request, const RpcError& error) {
  if (!state_.connected()) return;
  const Failure failure = failure_of(error);
  const auto& envelope = state_.envelope();
  auto tried = state_.send(envelope.failure(request.id, request.method, failure));
  if (tried.refused && tried.refused->code() == Errc::invalid_value) {
    const Failure plain{failure.code, "the error cannot be sent"};
    tried = state_.send(envelope.failure(request.id, request.method, plain));
  }
  if (tried.refused) state_.report(*tried.refused);
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
  const std::string method(letter.method);
  const std::string wrong = (*listener)(letter.params == nullptr ? none : *letter.params);
  if (!wrong.empty()) {
    state_.on_error(Error(Errc::message_type, "a notification of " + method + ": " + wrong));
  }
  return true;
}

void Responder::take_cancel(const Letter& letter) {
  const auto found = incoming_.find(*letter.id);
  if (found == incoming_.end()) return;  // it has been answered
  const auto incoming = found->second->shared_from_this();
  incoming->request_stop(true);
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

void Responder::channel_closed() {
  for (const auto& [id, incoming] : incoming_) stop_later(*incoming);
}

void Responder::stop_later(Incoming& incoming) {
  stopping_.push_back(incoming.weak_from_this());
  state_.schedule_stops();
}

}  // namespace tine::rpc
