#include "process/internal_channel.hpp"

#include <utility>

#include "channel/passed_handle.hpp"
#include "process/peer.hpp"

namespace tine::process {

void InternalChannel::check_thread() const noexcept { peer_->check_thread(); }

void InternalChannel::defer(Callback<void()> function) {
  if (peer_->core() != nullptr) peer_->core()->defer(std::move(function));
}

bool InternalChannel::connected() const { return peer_->end().connected(); }
void InternalChannel::disconnect() { peer_->end().disconnect(); }
void InternalChannel::send(const nlohmann::json& message) { peer_->end().send_internal(message); }

void InternalChannel::send(const nlohmann::json& message, InternalHandle handle) {
  channel::PassedHandle passed{.type = handle.type};
  passed.descriptors.push_back(std::move(handle.descriptor));
  passed.refused = std::move(handle.undelivered);
  peer_->end().send_internal(message, std::move(passed));
}

}  // namespace tine::process
