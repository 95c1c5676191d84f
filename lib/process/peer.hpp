#pragma once

#include <memory>
#include <optional>

#include <nlohmann/json_fwd.hpp>

#include "channel/endpoint.hpp"
#include "channel/received_message.hpp"
#include "process/handle_passing.hpp"
#include "process/internal_channel.hpp"
#include "tine/channel.hpp"
#include "tine/handle.hpp"
#include "tine/message.hpp"
#include "tine/send_callback.hpp"
#include "tine/text.hpp"
#include "uv/loop_core.hpp"

namespace tine::process {

// This process's end of the channel to another process, and the handles that pass it: what the
// states behind ChildProcess and Process have in common, without their listeners.
class Peer : public channel::Endpoint::Owner, public uv::Resident {
 public:
  Peer(uv::LoopCore& core, const ChannelOptions& options,
       Serialization serialization = Serialization::json);

  channel::Endpoint& end() { return end_; }

  using Resident::check_thread;
  using Resident::core;

  // Returns a pointer to the end that keeps the peer alive.
  static std::shared_ptr<channel::Endpoint> end_of(const std::shared_ptr<Peer>& peer) {
    return {peer, &peer->end_};
  }

  // Send a message with a handle. See ChannelEnd::send().
  bool send(const nlohmann::json& message, const Handle& handle, bool keep_open, SendCallback sent);
  bool send(Text message, const Handle& handle, bool keep_open, SendCallback sent);

  // Offers internal messages to `route` until the channel has ended.
  void route_internal(InternalRoute route);

  void on_message(const channel::ReceivedMessage& received) final;
  void on_ended() override { handles_.channel_ended(); }

 protected:
  virtual void emit_message(Message& message) = 0;

 private:
  template <class Form>
  bool send_with(const Form& message, const Handle& handle, bool keep_open, SendCallback& sent);
  std::optional<Handle> handle_from(channel::ReceivedDescriptors* beside);

  channel::Endpoint end_;
  HandlePassing handles_;
};

}  // namespace tine::process
