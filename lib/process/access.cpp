#include "process/access.hpp"

#include <utility>

#include "process/child_state.hpp"
#include "process/process_state.hpp"

namespace tine::process {

ChildProcess Access::fork_worker(uv::LoopCore& core, const std::filesystem::path& module,
                                 const ForkOptions& options, int number) {
  return ChildProcess::State::fork(core, module, options, number);
}

InternalChannel Access::channel_of(const ChildProcess& child) {
  return InternalChannel(ChildProcess::State::end_of(child.state_));
}

InternalChannel Access::channel_of(const Process& process) {
  return InternalChannel(Process::State::end_of(process.state_));
}

void Access::route_internal(const ChildProcess& child, Route route) {
  child.state_->end().router().add(channel::Router::Offers::internal, std::move(route));
}

void Access::route_internal(const Process& process, Route route) {
  process.state_->end().router().add(channel::Router::Offers::internal, std::move(route));
}

}  // namespace tine::process
