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
  return InternalChannel(child.state_);
}

InternalChannel Access::channel_of(const Process& process) {
  return InternalChannel(process.state_);
}

void Access::route_internal(const ChildProcess& child, InternalRoute route) {
  child.state_->route_internal(std::move(route));
}

void Access::route_internal(const Process& process, InternalRoute route) {
  process.state_->route_internal(std::move(route));
}

}  // namespace tine::process
