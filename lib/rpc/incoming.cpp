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

namespace {

constexpr const char* dropped = "the request was dropped without an answer";

}  // namespace

// If memory runs out, shared_ptr calls drop() too.
std::shared_ptr<Incoming> Incoming::make(Request request) {
  return {new Incoming(std::move(request)), Drop()};
}

void Incoming::drop() noexcept {
  if (state_ && !state_->connected()) settled();
  try {
    if (!answered()) fail(failed(dropped));
  } catch (const std::bad_alloc&) {
    state_->responder().owe_later();
  }
  if (state_) {
    dropped_ = true;
  } else {
    delete this;
  }
}

RpcError Incoming::failed(const std::string& text) const {
  return {cancelled_ ? request_cancelled : internal_error, text};
}

void Incoming::send(detail::Value result, const Handle& handle, bool keep_open) {
  if (answered()) return;
  note_answer(state_->responder().answer(request_, std::move(result), handle, keep_open));
}

void Incoming::fail(const RpcError& error) {
  if (!answered()) note_answer(state_->responder().answer(request_, error));
}

void Incoming::note_answer(std::optional<RpcError> refused) {
  owed_ = std::move(refused);
  if (!owed_) return settled();
  state_->responder().owe_until_drain();
}

void Incoming::settled() noexcept {
  const auto state = std::move(state_);
  state->responder().forget(*this);
}

bool Incoming::pay() {
  auto refused = state_->responder().answer(request_, owed_ ? *owed_ : failed(dropped));
  if (refused) {
    owed_ = std::move(refused);
    return false;
  }
  forgive();
  return true;
}

void Incoming::forgive() noexcept {
  owed_.reset();
  settled();
  if (dropped_) delete this;
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
  return !answered() && state_->responder().progress(request_, std::move(value));
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

void start_answer(const Reply& reply, Task<> task) {
  const auto& incoming = reply.incoming_;
  const auto state = incoming->state();
  if (!state || state->core() == nullptr) return;
  if (const auto left = incoming->remaining()) task = std::move(task).within(*left);
  task::Roots::of(*state->core()).add(std::move(task), incoming->stop_token());
}

void fail_with_exception(const Reply& reply) { reply.incoming_->fail_with_exception(); }

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
