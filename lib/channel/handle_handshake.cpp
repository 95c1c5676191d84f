#include "channel/handle_handshake.hpp"

#include <algorithm>
#include <utility>

namespace tine::channel {

void HandleHandshake::open() {
  timer_.emplace(*context_.core(), [this] {
    waiting_ = false;
    give_up();
    late_();
  });
  timer_->set_ref(false);
}

void HandleHandshake::look(bool closing) noexcept {
  const bool waits_now = waits();
  timer_->set_ref(waits_now && outbox_.queued() > 0);
  if (std::exchange(waiting_, waits_now) == waits_now) return;
  timer_->stop();
  const auto limit = context_.options().handle_timeout;
  const bool for_ever = !closing && limit.count() == 0;
  if (!waits_now || for_ever) return;
  timer_->start(closing ? patience_to_close() : limit);
}

std::chrono::milliseconds HandleHandshake::patience_to_close() const {
  const ChannelOptions& options = context_.options();
  if (options.handle_timeout.count() == 0) return options.flush_timeout;
  return std::min(options.handle_timeout, options.flush_timeout);
}

void HandleHandshake::set_peer(Outbox::Peer peer) noexcept {
  peer_known_ = true;
  if (outbox_.awaits_peer()) restart();  // the answer has a time limit of its own
  outbox_.set_peer(peer);
}

Outbox::Answered HandleHandshake::answered(bool arrived) noexcept {
  const Outbox::Answered answered = outbox_.answered(arrived);
  if (answered == Outbox::Answered::unasked) return answered;
  restart();
  timer_->stop();
  return answered;
}

bool HandleHandshake::give_up() noexcept {
  if (outbox_.awaits_peer()) {
    cancel(Errc::invalid_handle_type);
    return true;
  }
  if (outbox_.awaits_pong()) {
    cancel(Errc::handle_lost);
    return true;
  }
  if (!outbox_.awaits_answer()) return false;
  outbox_.forget_handle();
  reports_.handle_failed(Errc::handle_lost);
  return true;
}

void HandleHandshake::cancel(std::error_code why) noexcept {
  const bool has_callback = outbox_.cancel_handle(why);
  reports_.look();
  if (!has_callback) reports_.handle_failed(why);
}

}  // namespace tine::channel
