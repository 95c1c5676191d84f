#include "rpc/incoming.hpp"

#include <algorithm>
#include <exception>
#include <new>
#include <utility>

#include "rpc/error_details.hpp"
#include "rpc/state.hpp"
#include "task/roots.hpp"
#include "tine/task.hpp"
#include "uv/forced_unwind.hpp"

namespace tine::rpc {

// If memory runs out, the peer gets no answer.
Incoming::~Incoming() {
  if (answered()) return;
  try {
    fail(failed("the request was dropped without an answer"));
  } catch (const std::bad_alloc&) {
    if (state_) state_->responder().forget(*this);
  }
}

RpcError Incoming::failed(const std::string& text) const {
  return {cancelled_ ? request_cancelled : internal_error, text};
}

std::shared_ptr<State> Incoming::take_state() {
  if (state_) state_->responder().forget(*this);
  return std::move(state_);
}

void Incoming::send(detail::Value result, const Handle& handle, bool keep_open) {
  if (const auto state = take_state()) {
    state->responder().answer(request_, std::move(result), handle, keep_open);
  }
}

void Incoming::fail(const RpcError& error) {
  if (const auto state = take_state()) state->responder().answer(request_, error);
}

void Incoming::fail_with_exception() {
  if (answered()) throw;
  try {
    throw;
  } catch (const uv::ForcedUnwind&) {
    throw;
  } catch (const RpcError& error) {
    fail(error);
  } catch (const std::exception& error) {
    fail(failed(error.what()));
  } catch (...) {
    fail(failed("the handler has thrown something that is no exception"));
  }
}

bool Incoming::progress(detail::Value value) {
  return state_ && state_->responder().progress(request_, std::move(value));
}

void Incoming::request_stop(bool cancelled) {
  cancelled_ = cancelled_ || cancelled;
  stop_requested_ = true;
  if (stop_) stop_->request_stop();
}

std::stop_token Incoming::stop_token() {
  if (!stop_) {
    stop_.emplace();
    if (stop_requested_) stop_->request_stop();
  }
  return stop_->get_token();
}

std::optional<std::chrono::milliseconds> Incoming::remaining() const {
  using std::chrono::milliseconds;
  if (request_.deadline == no_deadline) return std::nullopt;
  const auto left = std::chrono::duration_cast<milliseconds>(request_.deadline - Clock::now());
  return std::max(left, milliseconds(0));
}

}  // namespace tine::rpc

namespace tine {

namespace detail {

namespace {

Task<> guarded(std::shared_ptr<rpc::Incoming> incoming, Task<> task) {
  try {
    co_await std::move(task);
  } catch (...) {
    incoming->fail_with_exception();
  }
}

}  // namespace

void start_answer(const Reply& reply, Task<> task) {
  const auto& incoming = reply.incoming_;
  const auto state = incoming->state();
  if (!state || state->core() == nullptr) return;
  if (const auto left = incoming->remaining()) task = std::move(task).within(*left);
  task::Roots::of(*state->core()).add(guarded(incoming, std::move(task)), incoming->stop_token());
}

}  // namespace detail

Reply::Reply(std::shared_ptr<rpc::Incoming> incoming) : incoming_(std::move(incoming)) {}

void Reply::send() const { send_value({}, {}, {}); }
void Reply::send(const nlohmann::json& result) const { send_value(result, {}, {}); }
void Reply::send(nlohmann::json&& result) const { send_value(std::move(result), {}, {}); }
void Reply::send(const nlohmann::json& result, Handle handle, SendOptions options) const {
  send_value(result, std::move(handle), options);
}
void Reply::send_value(detail::Value result, Handle handle, SendOptions options) const {
  if (incoming_) incoming_->send(std::move(result), handle, options.keep_open);
}
void Reply::fail(const RpcError& error) const {
  if (incoming_) incoming_->fail(error);
}
bool Reply::progress(const nlohmann::json& value) const { return report(value); }
bool Reply::report(detail::Value value) const {
  return incoming_ && incoming_->progress(std::move(value));
}
std::stop_token Reply::stop_token() const {
  return incoming_ ? incoming_->stop_token() : std::stop_token();
}
std::optional<std::chrono::milliseconds> Reply::remaining() const {
  return incoming_ ? incoming_->remaining() : std::nullopt;
}
const std::string& Reply::method() const {
  static const std::string none;
  return incoming_ ? incoming_->request().method : none;
}
Handle Reply::handle() const { return incoming_ ? incoming_->request().handle : Handle(); }

}  // namespace tine
