#include "tine/request.hpp"

#include <algorithm>
#include <utility>

#include "rpc/pending.hpp"
#include "rpc/state.hpp"

namespace tine {

Call::Call(std::shared_ptr<rpc::Pending> pending) : pending_(std::move(pending)) {}

void Call::cancel() const {
  if (pending_ && pending_->state) pending_->state->caller().abort(*pending_);
}

bool Call::pending() const { return pending_ && pending_->state != nullptr; }

namespace detail {

UnsentRequest::UnsentRequest(std::shared_ptr<rpc::Pending> pending)
    : pending_(std::move(pending)) {}

void UnsentRequest::set_deadline(std::chrono::milliseconds deadline) {
  if (pending_) pending_->unsent->deadline = deadline;
}

void UnsentRequest::limit(std::chrono::milliseconds deadline) {
  if (!pending_) return;
  auto& own = pending_->unsent->deadline;
  own = own ? std::min(*own, deadline) : deadline;
}

void UnsentRequest::set_stop(std::stop_token token) {
  if (pending_) pending_->unsent->stop = std::move(token);
}

void UnsentRequest::set_handle(Handle handle, SendOptions options) {
  if (!pending_) return;
  pending_->unsent->handle = std::move(handle);
  pending_->unsent->keep_open = options.keep_open;
}

void UnsentRequest::set_progress(Callback<void(const nlohmann::json&)> listener) {
  set_progress(nullptr, std::move(listener));
}

void UnsentRequest::set_progress(const nlohmann::json& token,
                                 Callback<void(const nlohmann::json&)> listener) {
  if (!pending_) return;
  rpc::Extras& extras = pending_->make_extras();
  extras.token = token;
  extras.progress = std::move(listener);
}

Call UnsentRequest::send(Callback<void(rpc::Outcome&)> done) {
  const auto pending = std::move(pending_);
  if (pending) pending->state->caller().send(pending, std::move(done));
  return Call(pending);
}

AwaitedRequest::~AwaitedRequest() { end(); }

void AwaitedRequest::begin() {
  if (const auto deadline = left()) unsent_.limit(*deadline);
  call_ = unsent_.send([this](rpc::Outcome& outcome) {
    settle();
    came(outcome);
    has_come_ = true;
  });
  if (!call_.pending()) settle();
}

void AwaitedRequest::end() noexcept {
  const auto pending = std::exchange(call_, Call()).pending_;
  if (pending && pending->state) pending->state->caller().forget(*pending);
}

void AwaitedRequest::check_outcome() const {
  if (const auto why = failure()) {
    throw RpcError(*why, *why == Errc::aborted
                             ? "a task was stopped at a request"
                             : "a request was not answered in the time of a task");
  }
  if (!has_come_)
    throw RpcError(Errc::channel_closed,
                   "a request has no outcome: it has no channel, or its result does not convert");
}

}  // namespace detail
}  // namespace tine
