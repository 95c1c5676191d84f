#include "channel/context.hpp"

#include <utility>

#include "wire/advanced.hpp"
#include "wire/json_lines.hpp"

namespace tine::channel {

namespace {

std::unique_ptr<wire::Codec> codec_for(Serialization serialization, std::size_t max_depth) {
  if (serialization == Serialization::advanced) return std::make_unique<wire::Advanced>(max_depth);
  return std::make_unique<wire::JsonLines>(max_depth);
}

}  // namespace

Context::Context(uv::LoopCore& core, Owner& owner, const ChannelOptions& options,
                 Serialization serialization)
    : core_(&core),
      owner_(owner),
      options_(options),
      codec_(codec_for(serialization, options.max_depth)) {}

void Context::defer(uv::Task& task) const noexcept {
  if (core_ != nullptr) core_->defer(task, owner_.shared_from_this());
}

void Context::defer_to_next_turn(uv::Task& task) const noexcept {
  if (core_ != nullptr) core_->defer_to_next_turn(task, owner_.shared_from_this());
}

void Context::report(Error error, SendCallback sent) const {
  if (core_ == nullptr) return;
  core_->defer([owner = owner_.shared_from_this(), error = std::move(error),
                sent = std::move(sent)] { sent ? sent(error.code()) : owner->on_error(error); });
}

}  // namespace tine::channel
