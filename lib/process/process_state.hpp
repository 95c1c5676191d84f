#pragma once

#include <memory>
#include <optional>

#include "base/descriptor.hpp"
#include "process/peer_state.hpp"
#include "tine/process.hpp"
#include "uv/task.hpp"

namespace tine {

// The state behind Process.
class Process::State final : public process::PeerState<Process::Listeners> {
 public:
  using PeerState::PeerState;

  void adopt();
  void on_error(Error error) override;
  void leave();
  // Returns whether this process is a copy, made by fork(), of the one that owns the channel.
  bool is_copy() const { return core() != nullptr && core()->copied(); }

  bool keeps_loop() const override {
    return list<"message">().count() + list<"disconnect">().count() > 0 || attachment_keeps_loop();
  }

 private:
  // The channel of a parent that asks for an unknown serialization. It stays open until the error is
  // delivered: if the error ends this process, the parent learns that, and not that a write failed.
  std::optional<base::Descriptor> refused_channel_;
  uv::Task connected_task_{[this] { notify<"connected">(); }};
};

}  // namespace tine
