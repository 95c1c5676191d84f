#include "process/internal_channel.hpp"

#include "channel/endpoint.hpp"
#include "channel/passed_handle.hpp"

namespace tine::process {

bool InternalChannel::connected() const { return end_->connected(); }
void InternalChannel::disconnect() { end_->disconnect(); }
void InternalChannel::send(const nlohmann::json& message) { end_->send_internal(message); }

void InternalChannel::send(const nlohmann::json& message, InternalHandle handle) {
  channel::PassedHandle passed{.type = handle.type};
  passed.descriptors.push_back(std::move(handle.descriptor));
  passed.refused = std::move(handle.undelivered);
  end_->send_internal(message, std::move(passed));
}

}  // namespace tine::process
