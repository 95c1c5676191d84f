#include "tine/detail/group.hpp"

#include <cassert>
#include <cstddef>
#include <exception>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "task/branch.hpp"
#include "task/context.hpp"

namespace tine::task {

// The state behind a Group, which its tasks refer to.
class GroupState {
 public:
  GroupState(std::shared_ptr<Context> parent, Group::Until until)
      : parent_(std::move(parent)), until_(until) {}
  GroupState(const GroupState&) = delete;
  GroupState& operator=(const GroupState&) = delete;
  // See ~Roots.
  ~GroupState() {
    while (!branches_.empty()) branches_.extract(std::prev(branches_.end()));
  }

  void start(Task<void> task);
  void stop() noexcept;
  bool empty() const { return branches_.empty(); }
  std::size_t first() const { return *first_; }
  void resume(std::shared_ptr<Context> context, std::coroutine_handle<> waiting);
  void rethrow();

 private:
  using Branches = std::map<std::size_t, std::unique_ptr<Branch>>;

  void ended(std::size_t place);
  void note_end(const Branch& branch, std::size_t place);
  void end_all() noexcept;

  std::shared_ptr<Context> parent_;
  Group::Until until_;
  Branches branches_;  // in order of their start
  std::size_t started_ = 0;
  bool stopped_ = false;  // by stop()
  bool ending_ = false;   // whether the tasks are stopped, for whatever reason
  std::optional<std::size_t> first_;
  std::exception_ptr failure_;
  std::shared_ptr<Context> waiting_context_;
  std::coroutine_handle<> waiting_;
};

void GroupState::start(Task<void> task) {
  const std::size_t place = started_++;
  auto branch = std::make_unique<Branch>(parent_->core(), parent_.get(), std::move(task),
                                         [this, place] { ended(place); });
  if (ending_) branch->context()->end_with(Errc::aborted);
  branches_.emplace(place, std::move(branch));
}

void GroupState::stop() noexcept {
  stopped_ = true;
  end_all();
}

void GroupState::end_all() noexcept {
  ending_ = true;
  for (const auto& branch : branches_) branch.second->context()->end_with(Errc::aborted);
}

// The frame is gone before the group looks whether it is empty: a destructor in the frame may start
// another task.
void GroupState::ended(std::size_t place) {
  {
    const auto ended = branches_.extract(place);  // destroyed after it has left the map
    note_end(*ended.mapped(), place);
  }
  if (branches_.empty() && waiting_) waiting_context_->transfer(std::exchange(waiting_, nullptr));
}

// Of several failures the first one counts: the others may be its consequence.
void GroupState::note_end(const Branch& branch, std::size_t place) {
  const bool is_first = !first_;
  if (is_first) first_ = place;
  const bool failed = branch.exception() && !(stopped_ && branch.aborted());
  if (until_ == Group::Until::first_ends) {
    if (!is_first) return;
    failure_ = branch.exception();
    return end_all();
  }
  if (!failed || failure_) return;
  failure_ = branch.exception();
  end_all();
}

void GroupState::resume(std::shared_ptr<Context> context, std::coroutine_handle<> waiting) {
  assert(!waiting_ && "two tasks join a Scope at the same time");
  waiting_context_ = std::move(context);
  waiting_ = waiting;
}

void GroupState::rethrow() {
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

Group::Group(PromiseBase& parent, Until until)
    : state_(std::make_unique<GroupState>(parent.context_->shared_from_this(), until)) {}
Group::Group(Group&&) noexcept = default;
Group& Group::operator=(Group&&) noexcept = default;
Group::~Group() = default;

void Group::start(Task<void> task) { state_->start(std::move(task)); }
void Group::stop() noexcept { state_->stop(); }
bool Group::empty() const noexcept { return state_->empty(); }
std::size_t Group::first() const noexcept { return state_->first(); }
void Group::rethrow() { state_->rethrow(); }

void Group::resume(PromiseBase& promise, std::coroutine_handle<> waiting) noexcept {
  state_->resume(promise.context_->shared_from_this(), waiting);
}

}  // namespace tine::task
