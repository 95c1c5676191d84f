#pragma once

#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/value_ref.hpp"
#include "channel/endpoint.hpp"
#include "channel/received_message.hpp"
#include "process/attachment.hpp"
#include "process/peer.hpp"
#include "rpc/caller.hpp"
#include "rpc/envelope.hpp"
#include "rpc/responder.hpp"
#include "tine/callback.hpp"
#include "tine/channel_end.hpp"
#include "tine/error.hpp"
#include "tine/handle.hpp"
#include "tine/rpc.hpp"
#include "tine/rpc_error.hpp"
#include "tine/send_callback.hpp"
#include "uv/event_sequence.hpp"
#include "uv/loop_core.hpp"
#include "uv/timer.hpp"

namespace tine::rpc {

// The state behind the Rpc of a channel end: its requests in both directions, and what they need of the
// Peer and of the loop.
//
// The Peer holds it, and so do handles, requests that wait and requests of the peer's that are not
// answered. It may outlive the Peer and the loop.
class State final : public process::Attachment,
                    public uv::Resident,
                    public std::enable_shared_from_this<State> {
 public:
  using Tried = channel::Endpoint::Tried;

  // Returns the state of a channel end, and makes it if there is none. Null for an empty handle and if
  // the loop is gone.
  static std::shared_ptr<State> of(const ChannelEnd& end, const RpcOptions& options);

  State(uv::LoopCore& core, std::weak_ptr<process::Peer> peer, const RpcOptions& options,
        std::unique_ptr<const Envelope> envelope);

  using Resident::core;
  Caller& caller() { return caller_; }
  Responder& responder() { return responder_; }
  const Envelope& envelope() const { return *envelope_; }
  const RpcOptions& options() const { return options_; }

  // Must be called when handlers were added or removed.
  void handlers_changed();

  // --- the channel

  bool connected() const;
  Tried send(base::ValueRef message, const Handle& handle = {}, bool keep_open = false);
  bool notify(const Object& message, SendCallback sent);
  // Returns false if the channel is not open.
  bool ping();
  RpcError channel_closed_error() const;
  // Emits "error", now or on a later turn. on_error() runs listeners.
  void on_error(Error error);
  void report(Error error);

  // Returns the handle that came; an empty one if none did. If what came is no handle, that is an
  // "error", and nullopt is returned. `failed` is called then, even if a listener throws.
  template <class F>
  std::optional<Handle> handle_from(channel::ReceivedDescriptors* beside, F&& failed) {
    std::optional<Handle> handle = Handle();
    if (beside == nullptr) return handle;
    try {
      const auto peer = peer_.lock();
      handle = peer ? peer->handle_from(beside) : std::nullopt;
    } catch (...) {
      failed();
      throw;
    }
    if (!handle) failed();
    return handle;
  }

  // --- later turns

  void schedule_settling() { due_.schedule(Due::settling, core(), shared_from_this()); }
  void schedule_failures() noexcept { due_.schedule(Due::failures, core(), shared_from_this()); }
  void schedule_payment() noexcept { due_.schedule(Due::payment, core(), shared_from_this()); }
  void schedule_stops() { due_.schedule(Due::stops, core(), shared_from_this()); }
  void defer(Callback<void()> function);

  // --- process::Attachment

  bool keeps_loop() const override;
  bool take(nlohmann::json& message, channel::ReceivedDescriptors* beside) override;
  void pong() noexcept override { caller_.pong(); }
  void drained() noexcept override { responder_.drained(); }
  void channel_ended() noexcept override;
  void exited() noexcept override;
  void retired() noexcept override;

 private:
  // In the order in which they are done.
  enum class Due { payment, stops, failures, settling };

  void loop_closing() noexcept override;
  void emit(Due event);
  void fail_calls() noexcept;

  std::weak_ptr<process::Peer> peer_;
  RpcOptions options_;
  std::unique_ptr<const Envelope> envelope_;
  Caller caller_{*this};
  Responder responder_{*this};
  bool ended_ = false;
  std::optional<ExitStatus> exit_status_;
  std::optional<uv::RawTimer> exit_wait_;
  uv::EventSequence<Due> due_{[this](Due event) { emit(event); }};
};

}  // namespace tine::rpc
