#include "process/stopping.hpp"

#include <csignal>
#include <utility>

namespace tine::process {

// The child keeps the loop alive if that is wanted, so the timer need not.
Stopping::Stopping(uv::LoopCore& core, std::function<ChildProcess()> child)
    : child_(std::move(child)), wait_(core, [this] { go_on(); }) {
  wait_.set_ref(false);
}

void Stopping::begin(StopOptions options) {
  options_ = std::move(options);
  next_ = 0;
  go_on();
}

// Starts to wait before it takes a step, so that the next one follows even if there is no memory for
// this one. The step may find that the child is gone, which ends this object.
void Stopping::go_on() {
  const ChildProcess child = child_();
  while (next_ < options_.steps.size()) {
    const StopStep step = options_.steps[next_++];
    wait_.start(step.wait());
    if (step.take(child)) return;
  }
  wait_.stop();
  options_.tree ? child.kill_tree(SIGKILL) : child.kill(SIGKILL);
}

}  // namespace tine::process
