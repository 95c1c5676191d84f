#pragma once

#include <memory>

#include "channel/owner.hpp"
#include "channel/trace.hpp"
#include "tine/channel.hpp"
#include "tine/error.hpp"
#include "tine/send_callback.hpp"
#include "uv/loop_core.hpp"
#include "uv/task.hpp"
#include "wire/codec.hpp"

namespace tine::channel {

// What the parts of an Endpoint share: its loop, its owner, its options, its codec and its trace.
class Context {
 public:
  Context(uv::LoopCore& core, Owner& owner, const ChannelOptions& options,
          Serialization serialization);

  // Returns the loop, or null once it is gone.
  uv::LoopCore* core() const { return core_; }
  void loop_is_gone() noexcept { core_ = nullptr; }

  Owner& owner() const { return owner_; }
  const ChannelOptions& options() const { return options_; }
  wire::Codec& codec() { return *codec_; }
  ChannelTrace& trace() { return trace_; }

  // Runs a task of the endpoint on a later turn, or in the next loop iteration. A no-op once the
  // loop is gone.
  void defer(uv::Task& task) const noexcept;
  void defer_to_next_turn(uv::Task& task) const noexcept;

  // Reports an error on a later turn, to the callback, or to the owner if there is none.
  void report(Error error, SendCallback sent) const;

 private:
  uv::LoopCore* core_;
  Owner& owner_;
  ChannelOptions options_;
  std::unique_ptr<wire::Codec> codec_;
  ChannelTrace trace_;
};

}  // namespace tine::channel
