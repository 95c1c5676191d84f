#include "process/parent.hpp"

#include <utility>

#include "process/access.hpp"

namespace tine::process {

ChildProcess Parent::fork_worker(const std::filesystem::path& module, const ForkOptions& options,
                                 int number) {
  return Access::fork_worker(*core(), module, options, number);
}

void Parent::defer(Callback<void()> function) {
  if (core() != nullptr) core()->defer(std::move(function));
}

}  // namespace tine::process
