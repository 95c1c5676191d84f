#include <utility>

#include "task/branch.hpp"
#include "tine/on_loop.hpp"
#include "uv/loop_core.hpp"

namespace tine::task {

// The task is started when it is awaited: only then is the address of this object final, and the
// coroutine to resume known.
Bridge::Bridge(Loop& loop, Task<void> task) : loop_(loop), task_(std::move(task)) {}
Bridge::~Bridge() = default;

// The coroutine may destroy this object.
void Bridge::run_for(std::coroutine_handle<> waiting) {
  branch_ = std::make_unique<Branch>(core_of(loop_), nullptr, std::move(task_),
                                     [waiting] { waiting.resume(); });
}

void Bridge::rethrow() const {
  if (branch_->exception()) std::rethrow_exception(branch_->exception());
}

}  // namespace tine::task
