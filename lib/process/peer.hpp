#pragma once

#include <memory>
#include <optional>

#include <nlohmann/json_fwd.hpp>

#include "base/value_ref.hpp"
#include "channel/endpoint.hpp"
#include "channel/received_message.hpp"
#include "process/attachment.hpp"
#include "process/handle_passing.hpp"
#include "process/internal_channel.hpp"
#include "tine/channel.hpp"
#include "tine/child_process.hpp"
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
  ~Peer() override;

  channel::Endpoint& end() { return end_; }

  using Resident::check_thread;
  using Resident::core;

  // Returns a pointer to the end that keeps the peer alive.
  static std::shared_ptr<channel::Endpoint> end_of(const std::shared_ptr<Peer>& peer) {
    return {peer, &peer->end_};
  }

  // Send a message with a handle. See ChannelEnd::send().
  bool send(base::ValueRef message, const Handle& handle, bool keep_open, SendCallback sent);
  bool send(Text message, const Handle& handle, bool keep_open, SendCallback sent);

  // Does the same for a layer above, which reports a refusal by itself. An empty handle: there is
  // none.
  channel::Endpoint::Tried try_send(base::ValueRef message, const Handle& handle, bool keep_open);

  // Offers internal messages to `route` until the channel has ended.
  void route_internal(InternalRoute route);

  // Attaches a layer above. There must be none yet.
  void attach(std::shared_ptr<Attachment> attachment);
  const std::shared_ptr<Attachment>& attachment() const { return attachment_; }

  // Returns how the process at the other end has ended, if this is known.
  virtual std::optional<ExitStatus> known_exit() const { return std::nullopt; }
  // Returns whether this will be known later.
  virtual bool exit_follows() const { return false; }

  // Returns the handle that the descriptors become, an empty one if there are none, or nothing after
  // an "error", because they are not what their line announces. Runs listeners.
  std::optional<Handle> handle_from(channel::ReceivedDescriptors* beside);

  void on_message(const channel::ReceivedMessage& received) final;
  void on_pong() override;
  void on_ended() override;

 protected:
  virtual void emit_message(Message& message) = 0;
  bool attachment_keeps_loop() const { return attachment_ && attachment_->keeps_loop(); }
  void tell_attachment_of_drain() noexcept;
  void retire_attachment() noexcept;

 private:
  template <class Form>
  bool send_with(const Form& message, const Handle& handle, bool keep_open, SendCallback& sent);

  channel::Endpoint end_;
  HandlePassing handles_;
  std::shared_ptr<Attachment> attachment_;
};

}  // namespace tine::process
