#include "task/roots.hpp"

#include <iterator>
#include <optional>
#include <utility>

#include "task/branch.hpp"

namespace tine::task {

// A task that the loop owns, and what may stop it.
class Roots::Root {
 public:
  Root(uv::LoopCore& core, Task<void> task, std::stop_token stop, Outcome* outcome,
       Callback<void()> ended)
      : branch_(core, nullptr, std::move(task), std::move(ended)),
        stop_(std::move(stop)),
        outcome_(outcome) {
    branch_.context()->stop_on(stop_);
  }

  Outcome* outcome() const { return outcome_; }
  const std::exception_ptr& exception() const { return branch_.exception(); }
  // Whether the task has ended as it was asked to.
  bool ended_by_stop() const { return stop_.stop_requested() && branch_.aborted(); }

 private:
  Branch branch_;
  std::stop_token stop_;
  Outcome* outcome_;
};

Roots::Roots(uv::LoopCore& core) : core_(core) {}

// A destructor in a frame may remove a root, so each one leaves the map before it is destroyed.
Roots::~Roots() {
  while (!roots_.empty()) roots_.extract(std::prev(roots_.end()));
}

Roots& Roots::of(uv::LoopCore& core) {
  if (auto* const known = core.extension<Roots>()) return *known;
  const auto roots = std::make_shared<Roots>(core);
  core.add_extension(roots);
  return *roots;
}

// If memory runs out, nothing keeps the loop running.
std::size_t Roots::add(Task<void> task, std::stop_token stop, Outcome* outcome) {
  const std::size_t number = started_++;
  std::optional<uv::KeepAlive> keep_alive;
  if (!keep_alive_) keep_alive.emplace(core_);
  auto root = std::make_unique<Root>(core_, std::move(task), std::move(stop), outcome,
                                     [this, number] { ended(number); });
  roots_.emplace(number, std::move(root));
  if (keep_alive) keep_alive_ = std::move(keep_alive);
  return number;
}

void Roots::remove(std::size_t number) noexcept {
  const auto removed = roots_.extract(number);
  update_keep_alive();
}

// The frames are gone before anybody learns of the end.
void Roots::ended(std::size_t number) {
  std::exception_ptr thrown;
  {
    const auto node = roots_.extract(number);
    const Root& root = *node.mapped();
    if (!root.ended_by_stop() || root.outcome() != nullptr) thrown = root.exception();
    if (root.outcome() != nullptr) {
      *root.outcome() = {true, std::exchange(thrown, nullptr)};
      core_.stop();
    }
  }
  update_keep_alive();
  if (thrown) std::rethrow_exception(thrown);
}

}  // namespace tine::task

namespace tine {

void start(Loop& loop, Task<void> task, std::stop_token stop) {
  task::Roots::of(core_of(loop)).add(std::move(task), std::move(stop));
}

namespace task {

namespace {

// The task of a run(), until that returns. The roots may be gone before: see LoopCore::abandon().
class RunningRoot {
 public:
  RunningRoot(uv::LoopCore& core, Task<void> task, std::stop_token stop, Roots::Outcome& outcome)
      : core_(core), number_(Roots::of(core).add(std::move(task), std::move(stop), &outcome)) {}
  RunningRoot(const RunningRoot&) = delete;
  RunningRoot& operator=(const RunningRoot&) = delete;
  ~RunningRoot() {
    if (auto* const roots = core_.extension<Roots>()) roots->remove(number_);
  }

 private:
  uv::LoopCore& core_;
  std::size_t number_;
};

}  // namespace

void run(Loop& loop, Task<void> task, std::stop_token stop) {
  Roots::Outcome outcome;
  const RunningRoot root(core_of(loop), std::move(task), std::move(stop), outcome);
  loop.run();
  if (!outcome.ended) throw Error(Errc::aborted, "the loop was stopped before a task had ended");
  if (outcome.exception) std::rethrow_exception(outcome.exception);
}

}  // namespace task
}  // namespace tine
