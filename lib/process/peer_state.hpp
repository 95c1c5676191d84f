#pragma once

#include <utility>
#include <vector>

#include "channel/channel_state.hpp"
#include "process/handle_passing.hpp"

namespace tine::process {

// A ChannelState that also passes and receives the handles beside messages.
template <class Listeners>
class PeerState : public channel::ChannelState<Listeners> {
 public:
  PeerState(uv::LoopCore& core, const ChannelOptions& options)
      : channel::ChannelState<Listeners>(core, options), handles_(this->end()) {
    this->end().router().add(
        channel::Router::Offers::internal,
        [this](nlohmann::json& message, const Handle&) { return handles_.take(message); });
  }

  channel::PassedHandle pass(const Handle& handle, bool keep_open) override {
    return handles_.pass(handle, keep_open);
  }

  Handle make_handle(const nlohmann::json& line,
                     std::vector<base::Descriptor> descriptors) override {
    return handles_.receive(*this->core(), line, std::move(descriptors));
  }

  void on_ended() override { handles_.channel_ended(); }

 private:
  HandlePassing handles_;
};

}  // namespace tine::process
