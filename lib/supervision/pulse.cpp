#include "supervision/pulse.hpp"

#include <utility>

#include "process/access.hpp"
#include "process/peer.hpp"

namespace tine::supervision {

using process::Access;

Pulse::Pulse(uv::LoopCore& core, const ChildProcess& child, const Heartbeat& heartbeat,
             std::function<void()> hung)
    : child_(child), silence_(heartbeat), hung_(std::move(hung)), timer_(core, [this] { look(); }) {
  timer_.set_ref(false);
  timer_.start(silence_.interval());
}

// The timer runs after the loop has polled, so what the child has said in time is counted already.
void Pulse::look() {
  channel::Endpoint& end = Access::peer_of(child_)->end();
  if (!end.connected()) return;
  timer_.start(silence_.interval());
  if (!end.reads()) return silence_.forget();
  switch (silence_.look(end.came_in(), [this] { return Access::cpu_time_of(child_); })) {
    case Silence::Verdict::fine: return;
    case Silence::Verdict::ask: end.ping(); return;
    case Silence::Verdict::hung: break;
  }
  timer_.stop();
  const auto hung = hung_;
  hung();
}

}  // namespace tine::supervision
