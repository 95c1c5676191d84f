#include "uv/loop_core.hpp"

#include <csignal>
#include <cstdlib>
#include <stdexcept>

#include <sched.h>

#include "uv/check.hpp"
#include "uv/misuse.hpp"

namespace tine::uv {

namespace {

void ignore_sigpipe_once() {
  [[maybe_unused]] static const bool done = [] {
    struct sigaction action {};
    if (sigaction(SIGPIPE, nullptr, &action) == 0 && (action.sa_flags & SA_SIGINFO) == 0 &&
        action.sa_handler == SIG_DFL) {
      std::signal(SIGPIPE, SIG_IGN);
    }
    return true;
  }();
}

// Whether exit() is running. The handler is added while a loop is driven, so it is called before a
// static Loop is destroyed.
bool exiting = false;

void watch_for_exit_once() {
  [[maybe_unused]] static const int done = std::atexit([] { exiting = true; });
}

}  // namespace

void LoopCore::start() {
  ignore_sigpipe_once();

  // Nothing may fail once a handle is open: it could not be closed without running the loop.
  auto wakeup = std::make_unique<uv_idle_t>();
  posted_.open(native());
  uv_idle_init(native(), wakeup.get());
  wakeup_.reset(wakeup.release());
  wakeup_->data = this;
  due_timers_.open(native());
}

bool LoopCore::to_be_left() const noexcept { return in_use() && (exiting || copied()); }

// uv_loop_fork() gives a copy of the process a poll of its own, so what the copy closes stays in
// the poll of the original.
LoopCore::~LoopCore() {
  if (in_use()) {
    misuse(
        "a Loop is destroyed in one of its own listeners, callbacks or posted functions; let "
        "Loop::run() return first (Loop::stop() makes it)");
  }
  check_thread();
  if (copied()) uv_loop_fork(native());
  drop_all();
  state_ == State::abandoned ? loop_.abandon() : loop_.close(copied());
}

void LoopCore::drop_all() noexcept {
  auto kept = residents_.close_all();
  extensions_.clear();
  // Destroying the user's captures may still use the core.
  kept.clear();
  posted_.close(copied());
  while (work_left()) {
    tasks_.clear();
    next_tasks_.clear();
    to_flush_.clear();
    extensions_.clear();  // a destructor of the user's may have started a task
  }
  wakeup_.reset();
  due_timers_.close();
}

// Called when the thread ends in a libuv callback or is cancelled in run(). libuv cannot go on
// afterwards, so the loop stays as it is and is never freed. Everything on it is closed now, while
// libuv can still do that.
void LoopCore::abandon() noexcept {
  if (std::exchange(state_, State::abandoned) == State::abandoned) return;
  drop_all();
  driver_.end();  // another thread may destroy the loop
}

void LoopCore::run() {
  check_thread();
  if (in_use()) {
    throw std::logic_error(
        "Loop::run() is called in one of the loop's own listeners, callbacks or posted functions; "
        "return from it instead: the loop goes on then");
  }
  if (state_ == State::abandoned) {
    throw std::logic_error(
        "Loop::run() is called on a loop whose thread has ended in a listener; it cannot go on");
  }
  if (copied()) adopt();
  watch_for_exit_once();
  driver_.begin();
  exception_.go_on();
  state_ = State::in_run;
  try {
    run_until_done();
  } catch (const ForcedUnwind&) {
    abandon();  // pthread_cancel() while the loop was blocked
    throw;
  }
  state_ = State::open;
  stopped_ = false;
  driver_.end();
  exception_.rethrow();
}

void LoopCore::run_until_done() {
  do {
    posted_.take();
    update_wakeup();
    if (spin_.on()) {
      run_spinning();
    } else {
      uv_run(native(), UV_RUN_DEFAULT);
    }
    posted_.take();
  } while (!halted() && !stopped_ && work_left());
}

// Does what uv_run() does by default, but polls for a while before it blocks.
void LoopCore::run_spinning() {
  while (uv_loop_alive(native()) != 0 && !halted() && !stopped_) {
    const std::uint64_t turn_before = turn_;
    uv_run(native(), UV_RUN_NOWAIT);
    if (turn_ == turn_before) {
      if (spin_.goes_on()) {
        sched_yield();
        continue;
      }
      uv_run(native(), UV_RUN_ONCE);
    }
    if (turn_ != turn_before) spin_.happened();
  }
}

// Until uv_loop_fork(), libuv's poll is shared with the original process.
void LoopCore::adopt() {
  check(uv_loop_fork(native()), "an event loop could not be taken over after fork()");
  driver_.adopt();
}

void LoopCore::goes_on_in_uv_run() noexcept {
  exception_.go_on();
  if (depth_ > 0) return;
  watch_for_exit_once();
  driver_.begin();
}

void LoopCore::stop() {
  check_thread();
  stopped_ = true;
  uv_stop(native());
}

void LoopCore::on_exception(Callback<void(std::exception_ptr)> handler) {
  check_thread();
  exception_.set_handler(std::move(handler));
}

void LoopCore::defer(Task& task, std::shared_ptr<const void> keep) noexcept {
  check_thread();
  tasks_.push(task, std::move(keep));
  update_wakeup();
}

void LoopCore::defer_first(Task& task, std::shared_ptr<const void> keep) noexcept {
  check_thread();
  tasks_.push_front(task, std::move(keep));
  update_wakeup();
}

void LoopCore::defer_to_next_turn(Task& task, std::shared_ptr<const void> keep) noexcept {
  check_thread();
  next_tasks_.push(task, std::move(keep));
  update_wakeup();
}

void LoopCore::defer(Callback<void()> run) {
  const auto task = std::make_shared<Task>(std::move(run));
  defer(*task, task);
}

void LoopCore::post(Callback<void()> run) {
  const auto task = std::make_shared<Task>(std::move(run));
  post(*task, task);
}

void LoopCore::end_turn() {
  run_due_tasks();
  to_flush_.flush();
  update_wakeup();
  if (state_ != State::in_run) driver_.end();
}

// Runs only the tasks that are due now. What a task defers waits for the next turn, so that tasks
// cannot keep the loop from its other work.
void LoopCore::run_due_tasks() {
  ++depth_;
  for (std::size_t due = tasks_.size(); due > 0 && !halted(); --due) {
    flush_late();
    guarded([this] { tasks_.run_first(); });
  }
  --depth_;
}

void LoopCore::flush_at_turn_end(Flushable& flushable) noexcept {
  check_thread();
  to_flush_.add(flushable);
  update_wakeup();
}

// Does nothing inside a callback: the end of the turn comes anyway.
void LoopCore::update_wakeup() noexcept {
  if (depth_ > 0 || !usable(wakeup_)) return;
  if (work_left()) {
    uv_idle_start(wakeup_.get(), [](uv_idle_t* handle) {
      if (auto* const core = static_cast<LoopCore*>(handle->data))
        core->enter([core] { core->tasks_.take(core->next_tasks_); });
    });
  } else {
    uv_idle_stop(wakeup_.get());
  }
}

// Called with the exception in flight. If the application drives a borrowed loop, nothing can be
// thrown to it: the handler gets the exception, and the loop goes on.
void LoopCore::caught() {
  if (state_ != State::in_run) return exception_.handle();
  exception_.keep();
  uv_stop(native());
}

bool LoopCore::only_writes_left() const {
  unsigned keeping = native()->active_reqs.count;
  uv_walk(
      native(),
      [](uv_handle_t* handle, void* count) {
        const bool keeps = uv_is_active(handle) && uv_has_ref(handle) && !uv_is_closing(handle);
        *static_cast<unsigned*>(count) += keeps;
      },
      &keeping);
  return keeping == writes_;
}

}  // namespace tine::uv
