#include <memory>
#include <utility>

#include "task/branch.hpp"
#include "tine/on_loop.hpp"
#include "uv/loop_core.hpp"
#include "uv/resident.hpp"

namespace tine::task {

// The task while it runs. Its frames are destroyed with the loop, because what they await would resume
// them there; the coroutine that waits for it stays as it is.
class Bridge::Running final : public uv::Resident {
 public:
  Running(uv::LoopCore& core, Task<void> task, std::coroutine_handle<> waiting)
      : Resident(core), branch_(std::make_unique<Branch>(core, nullptr, std::move(task), [waiting] {
          waiting.resume();
        })) {}

  const std::exception_ptr& exception() const { return branch_->exception(); }

  // A destructor in a frame may destroy the coroutine, and this with it.
  void loop_closing() noexcept override { const auto destroyed = std::move(branch_); }

 private:
  std::unique_ptr<Branch> branch_;
};

// The task is started when it is awaited: only then is the address of this object final, and the
// coroutine to resume known.
Bridge::Bridge(Loop& loop, Task<void> task) : loop_(loop), task_(std::move(task)) {}
Bridge::~Bridge() = default;

// The coroutine may destroy this object.
void Bridge::run_for(std::coroutine_handle<> waiting) {
  running_ = std::make_unique<Running>(core_of(loop_), std::move(task_), waiting);
}

void Bridge::rethrow() const {
  if (running_->exception()) std::rethrow_exception(running_->exception());
}

}  // namespace tine::task
