#include "tine/supervisor.hpp"

#include <utility>

#include "supervision/state.hpp"

namespace tine {

Supervisor::Supervisor(Loop& loop, SupervisorOptions options)
    : Supervisor(std::make_shared<supervision::State>(loop, options)) {}

Supervisor::Supervisor(std::shared_ptr<supervision::State> state)
    : Emitter(state), state_(std::move(state)) {}

void Supervisor::add(ChildSpec child) const {
  if (state_) state_->add(std::move(child));
}
void Supervisor::start() const {
  if (state_) state_->start();
}
void Supervisor::stop() const {
  if (state_) state_->stop();
}
void Supervisor::kill() const {
  if (state_) state_->kill();
}
bool Supervisor::restart(std::string_view name) const { return state_ && state_->restart(name); }
ChildProcess Supervisor::child(std::string_view name) const {
  return state_ ? state_->child(name) : ChildProcess();
}
void Supervisor::stop_on(const std::vector<int>& signals) const {
  if (state_) state_->stop_on(signals);
}

}  // namespace tine
