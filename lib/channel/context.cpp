#include "channel/context.hpp"

#include <utility>

namespace tine::channel {

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
