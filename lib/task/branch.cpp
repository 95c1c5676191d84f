#include "task/branch.hpp"

#include <cassert>

namespace tine::task {

Branch::Branch(uv::LoopCore& core, Context* parent, Task<void> task, Callback<void()> ended)
    : context_(std::make_shared<Context>(core, parent, std::move(ended))), task_(std::move(task)) {
  assert(task_ && "an empty Task is started: it was awaited or started before");
  auto& promise = task_.frame_.promise();
  promise.context_ = context_.get();
  if (promise.deadline_) context_->limit(*promise.deadline_);
  context_->transfer(task_.frame_);
}

bool Branch::aborted() const {
  if (!exception()) return false;
  try {
    std::rethrow_exception(exception());
  } catch (const Error& error) {
    return error.code() == Errc::aborted;
  } catch (...) {
    return false;
  }
}

}  // namespace tine::task
