#include "tine/rpc.hpp"

#include <memory>
#include <utility>

#include <nlohmann/json.hpp>

#include "rpc/pending.hpp"
#include "rpc/state.hpp"

namespace tine {

namespace {

detail::UnsentRequest unsent(const std::shared_ptr<rpc::State>& state, rpc::Unsent content) {
  if (!state) return detail::UnsentRequest(nullptr);
  auto pending = std::make_shared<rpc::Pending>(state);
  pending->unsent = std::make_unique<rpc::Unsent>(std::move(content));
  return detail::UnsentRequest(std::move(pending));
}

}  // namespace

std::shared_ptr<rpc::State> Rpc::state_of(const ChannelEnd& end, const RpcOptions& options) {
  return rpc::State::of(end, options);
}

detail::UnsentRequest Rpc::make(std::string_view method) const {
  return make(method, detail::Value());
}

detail::UnsentRequest Rpc::make(std::string_view method, const nlohmann::json& params) const {
  return make(method, detail::Value(params));
}

detail::UnsentRequest Rpc::make(std::string_view method, nlohmann::json&& params) const {
  return make(method, detail::Value(std::move(params)));
}

detail::UnsentRequest Rpc::make(std::string_view method, detail::Value params) const {
  return unsent(state_, {.method = std::string(method), .params = std::move(params)});
}

Request<std::chrono::microseconds> Rpc::ping() const {
  return Request<std::chrono::microseconds>(unsent(state_, {.is_ping = true}));
}

bool Rpc::notify(std::string_view method) const { return send_notification(method, {}, {}); }

bool Rpc::notify(std::string_view method, const nlohmann::json& params, SendCallback sent) const {
  return send_notification(method, params, std::move(sent));
}

bool Rpc::send_notification(std::string_view method, detail::Value params,
                            SendCallback sent) const {
  if (!state_) return false;
  const Object message = state_->envelope().notification(method, std::move(params));
  return state_->notify(message, std::move(sent));
}

void Rpc::set_handler(std::string method, rpc::Handler handler) const {
  if (!state_ || state_->core() == nullptr) return;
  state_->responder().handlers().set(method, std::move(handler));
  state_->handlers_changed();
}

void Rpc::set_listener(std::string method, rpc::NotificationListener listener) const {
  if (!state_ || state_->core() == nullptr) return;
  state_->responder().handlers().set(method, std::move(listener));
  state_->handlers_changed();
}

void Rpc::on_request(rpc::Fallback handler) const {
  if (!state_ || state_->core() == nullptr) return;
  state_->responder().handlers().set_fallback(std::move(handler));
  state_->handlers_changed();
}

bool Rpc::off(std::string_view method) const {
  const bool removed = state_ && state_->responder().handlers().remove(method);
  if (removed) state_->handlers_changed();
  return removed;
}

std::size_t Rpc::pending() const { return state_ ? state_->caller().pending() : 0; }
std::size_t Rpc::late_answers() const { return state_ ? state_->caller().late_answers() : 0; }

}  // namespace tine
