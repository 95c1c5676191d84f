#include "tine/request.hpp"

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

}  // namespace detail
}  // namespace tine
