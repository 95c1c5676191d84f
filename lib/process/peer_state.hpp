#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "channel/channel_state.hpp"
#include "process/handle_passing.hpp"

namespace tine::process {

// A ChannelState that also passes and receives the handles beside messages.
template <class... Events>
class PeerState : public channel::ChannelState<Events...> {
 public:
  PeerState(uv::LoopCore& core, const ChannelOptions& options)
      : channel::ChannelState<Events...>(core, options), handles_(this->end()) {}

  channel::PassedHandle pass(const Handle& handle, bool keep_open) override {
    return handles_.pass(handle, keep_open);
  }

  Handle make_handle(const nlohmann::json& line,
                     std::vector<base::Descriptor> descriptors) override {
    return handles_.receive(*this->core(), line, std::move(descriptors));
  }

  void on_internal(nlohmann::json& message, const Handle& handle) override {
    if (!handles_.take(message) && internal_) internal_(message, handle);
  }

  // A callback for all other internal messages: those of a cluster.
  using Internal = std::function<void(const nlohmann::json& message, const Handle& handle)>;
  void on_internal(Internal internal) { internal_ = std::move(internal); }

  void loop_closing() noexcept override {
    channel::ChannelState<Events...>::loop_closing();
    internal_ = nullptr;
  }

  void on_ended() override {
    handles_.channel_ended();
    internal_ = nullptr;
  }

 private:
  HandlePassing handles_;
  Internal internal_;
};

}  // namespace tine::process
