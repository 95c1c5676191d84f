#include "channel/transport.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace tine::channel {

Transport::Transport(const Context& context, uv::StreamEnds ends, User& user)
    : context_(context),
      stream_(*context.core(), std::move(ends), user,
              context.options().descriptor_limit > 0 ? uv::Stream::Takes::descriptors
                                                     : uv::Stream::Takes::bytes),
      user_(user),
      stalled_(*context.core(), [this] { on_stalled(); }) {
  stalled_.set_ref(false);
}

void Transport::await_writable() noexcept {
  stream_.await_writable();
  wait_for_progress();
}

void Transport::start_closing() {
  closing_ = true;
  was_to_close_ = true;
  if (awaiting_writable()) wait_for_progress();
}

// While the channel is not about to close, the timer decides nothing, so it need not be short.
void Transport::wait_for_progress() noexcept {
  constexpr auto shortest_when_open = std::chrono::milliseconds(100);
  unread_ = stream_.unread();
  const auto patience = context_.options().flush_timeout;
  stalled_.start(closing_ ? patience : std::max(patience, shortest_when_open));
}

// A peer that waits for our bytes is not given up: this process may have been stopped, and timers
// run before the loop polls.
void Transport::on_stalled() {
  if (!awaiting_writable()) return;
  if (stream_.refused()) return user_.on_give_up(EPIPE);
  const bool progress = unread_ != stream_.unread() || stream_.writable();
  const bool to_close = closing_ || context_.core()->only_writes_left();
  const bool was_to_close = std::exchange(was_to_close_, to_close);
  if (!progress && to_close && was_to_close) return user_.on_give_up(ECANCELED);
  wait_for_progress();
}

}  // namespace tine::channel
