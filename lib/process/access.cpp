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

void Access::on_internal(const ChildProcess& child, Internal internal) {
  child.state_->on_internal(std::move(internal));
}

void Access::on_internal(const Process& process, Internal internal) {
  process.state_->on_internal(std::move(internal));
}

}  // namespace tine::process
