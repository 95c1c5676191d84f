#include "uv/loop_core.hpp"

#include <algorithm>
#include <cassert>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "uv/libuv_abi.hpp"
#include "uv/misuse.hpp"

namespace tine::uv {

namespace {

// Opens /dev/null for closed descriptors from 0 to 2: libuv expects its own descriptors above
// these, and a child would take one of ours for its stdio.
void open_stdio_once() {
  [[maybe_unused]] static const bool done = [] {
    int fd = 0;
    while (fd >= 0 && fd <= STDERR_FILENO) fd = open("/dev/null", O_RDWR);
    if (fd >= 0) close(fd);
    return true;
  }();
}

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

// Keeps a loop that cannot be freed in a linked list, so that a leak checker does not report it.
void never_free(uv_loop_t* loop) {
  static std::atomic<uv_loop_t*> last = nullptr;
  loop->data = last.exchange(loop);
}

void check(int result, const char* what) {
  if (result < 0) throw std::system_error(-result, std::generic_category(), what);
}

}  // namespace

Resident::Resident(LoopCore& core) : core_(&core) { core.residents_.insert(this); }

Resident::~Resident() {
  if (core() != nullptr) core()->residents_.erase(this);
}

LoopCore::LoopCore() : owned_(true), loop_(nullptr), due_timers_(*this) {
  check_libuv();  // before it writes into a loop that may be too small
  open_stdio_once();
  auto loop = std::make_unique<uv_loop_t>();
  check(uv_loop_init(loop.get()), "an event loop could not be made");
  loop_ = loop.get();
  try {
    start();
  } catch (...) {
    uv_loop_close(loop_);
    throw;
  }
  loop.release();
}

LoopCore::LoopCore(uv_loop_t* borrowed) : owned_(false), loop_(borrowed), due_timers_(*this) {
  check_libuv_is_shared();
  check_libuv();
  start();
}

void LoopCore::start() {
  ignore_sigpipe_once();

  // Nothing may fail once a handle is open: it could not be closed without running the loop.
  auto signal = std::make_unique<uv_async_t>();
  auto wakeup = std::make_unique<uv_idle_t>();
  check(uv_async_init(loop_, signal.get(),
                      [](uv_async_t* handle) {
                        if (auto* const core = static_cast<LoopCore*>(handle->data)) {
                          core->enter([core] { core->take_posted(); });
                        }
                      }),
        "an event loop could not be made");
  posted_signal_.reset(signal.release());
  posted_signal_->data = this;
  set_ref(false);

  uv_idle_init(loop_, wakeup.get());
  wakeup_.reset(wakeup.release());
  wakeup_->data = this;
  due_timers_.open(loop_);
}

bool LoopCore::copied() const noexcept { return getpid() != process_; }
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
  if (copied()) uv_loop_fork(loop_);
  drop_all();
  if (!owned_) return;
  abandoned_ ? never_free(loop_) : close_loop();
}

void LoopCore::drop_all() noexcept {
  auto kept = std::exchange(kept_, {});
  while (!residents_.empty()) {
    Resident* const resident = *residents_.begin();
    residents_.erase(residents_.begin());
    resident->core_ = nullptr;
    resident->loop_closing();
  }
  std::exchange(extensions_, {}).clear();
  // Destroying the user's captures may still use the core.
  kept.clear();
  while (work_left()) {
    tasks_.clear();
    next_tasks_.clear();
    dirty_ = nullptr;
  }
  wakeup_.reset();
  due_timers_.close();
  drop_posted();
}

// Other threads may still post to a loop that was abandoned: nothing comes of it. In a copy of the
// process such a thread may have held the mutex, and is not there to unlock it.
void LoopCore::drop_posted() noexcept {
  TaskQueue dropped;  // destroyed without the lock, because captures may post
  std::unique_lock lock(posted_mutex_, std::defer_lock);
  if (!copied()) lock.lock();
  dropped.take(posted_);
  posted_signal_.reset();
}

// Called when the thread ends in a libuv callback or is cancelled in run(). libuv cannot go on
// afterwards, so the loop stays as it is and is never freed. Everything on it is closed now, while
// libuv can still do that.
void LoopCore::abandon() noexcept {
  if (std::exchange(abandoned_, true)) return;
  drop_all();
  driver_.store({}, std::memory_order_relaxed);  // another thread may destroy the loop
}

void LoopCore::wrong_thread() noexcept {
  misuse(
      "a Loop, or what is on it, is used by another thread than the one that runs it; "
      "Loop::post() is the one call that any thread may make");
}

// Runs the loop until it can be closed. Close callbacks come in the next iteration, and a request
// ends when the thread that works on it is done; a copy of the process has no such thread. A handle
// of the application that is still open is the application's bug; the loop's memory is not freed
// then.
void LoopCore::close_loop() {
  constexpr int turns = 3;
  for (int turn = 0; turn < turns; ++turn) {
    do uv_run(loop_, requests_open() ? UV_RUN_ONCE : UV_RUN_NOWAIT);
    while (requests_open());
    if (uv_loop_close(loop_) == 0) {
      delete loop_;
      return;
    }
  }
  assert(copied() &&
         "a uv handle of the application's is still open on a tine::Loop that is destroyed");
}

void LoopCore::run() {
  check_thread();
  if (in_use()) {
    throw std::logic_error(
        "Loop::run() is called in one of the loop's own listeners, callbacks or posted functions; "
        "return from it instead: the loop goes on then");
  }
  if (abandoned_) {
    throw std::logic_error(
        "Loop::run() is called on a loop whose thread has ended in a listener; it cannot go on");
  }
  if (copied()) adopt();
  watch_for_exit_once();
  driver_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  halted_ = false;
  running_ = true;
  try {
    run_until_done();
  } catch (const ForcedUnwind&) {
    abandon();  // pthread_cancel() while the loop was blocked
    throw;
  }
  running_ = false;
  stopped_ = false;
  driver_.store({}, std::memory_order_relaxed);
  if (exception_) std::rethrow_exception(std::exchange(exception_, nullptr));
}

void LoopCore::run_until_done() {
  do {
    take_posted();
    update_wakeup();
    if (spin_.on()) {
      run_spinning();
    } else {
      uv_run(loop_, UV_RUN_DEFAULT);
    }
    take_posted();
  } while (!halted_ && !stopped_ && work_left());
}

// Does what uv_run() does by default, but polls for a while before it blocks.
void LoopCore::run_spinning() {
  while (uv_loop_alive(loop_) != 0 && !halted_ && !stopped_) {
    const std::uint64_t turn_before = turn_;
    uv_run(loop_, UV_RUN_NOWAIT);
    if (turn_ == turn_before) {
      if (spin_.goes_on()) {
        sched_yield();
        continue;
      }
      uv_run(loop_, UV_RUN_ONCE);
    }
    if (turn_ != turn_before) spin_.happened();
  }
}

// Until uv_loop_fork(), libuv's poll is shared with the original process.
void LoopCore::adopt() {
  check(uv_loop_fork(loop_), "an event loop could not be taken over after fork()");
  process_ = getpid();
}

void LoopCore::goes_on_in_uv_run() noexcept {
  halted_ = false;
  if (depth_ > 0) return;
  watch_for_exit_once();
  driver_.store(std::this_thread::get_id(), std::memory_order_relaxed);
}

void LoopCore::stop() {
  check_thread();
  stopped_ = true;
  uv_stop(loop_);
}

void LoopCore::on_exception(Callback<void(std::exception_ptr)> handler) {
  check_thread();
  exception_handler_ = std::move(handler);
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

void LoopCore::post(Task& task, std::shared_ptr<const void> keep) noexcept {
  const std::lock_guard lock(posted_mutex_);
  if (posted_signal_ == nullptr) return;
  posted_.push(task, std::move(keep));
  uv_async_send(posted_signal_.get());
}

void LoopCore::take_posted() {
  const std::lock_guard lock(posted_mutex_);
  tasks_.take(posted_);
}

void LoopCore::end_turn() {
  run_due_tasks();
  flush_dirty();
  update_wakeup();
  if (!running_) driver_.store({}, std::memory_order_relaxed);
}

// Runs only the tasks that are due now. What a task defers waits for the next turn, so that tasks
// cannot keep the loop from its other work.
void LoopCore::run_due_tasks() {
  ++depth_;
  for (std::size_t due = tasks_.size(); due > 0 && !halted_; --due) {
    flush_late();
    guarded([this] { tasks_.run_first(); });
  }
  --depth_;
}

void LoopCore::flush_at_turn_end(Flushable& flushable) noexcept {
  check_thread();
  flushable.next_dirty_ = std::exchange(dirty_, &flushable);
  update_wakeup();
}

void LoopCore::forget(Flushable& flushable) noexcept {
  Flushable** link = &dirty_;
  while (*link != nullptr && *link != &flushable) link = &(*link)->next_dirty_;
  if (*link != nullptr) *link = std::exchange(flushable.next_dirty_, nullptr);
}

void LoopCore::flush_dirty() noexcept {
  while (Flushable* const flushable = dirty_) {
    dirty_ = std::exchange(flushable->next_dirty_, nullptr);
    flushable->flush_turn();
  }
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
  if (running_) {
    exception_ = std::current_exception();
    halted_ = true;
    uv_stop(loop_);
  } else if (exception_handler_) {
    exception_handler_(std::current_exception());
  } else {
    std::terminate();
  }
}

void LoopCore::keep(std::shared_ptr<Resident> resident) {
  check_thread();
  const Resident* const key = resident.get();
  kept_.emplace(key, std::move(resident));
}

void LoopCore::release(const Resident& resident) {
  check_thread();
  const auto kept = kept_.extract(&resident);  // destroyed after it has left the map
}

void LoopCore::remove_extension(const Extension& extension) noexcept {
  const auto is_it = [&](const auto& one) { return one.get() == &extension; };
  const auto found = std::find_if(extensions_.begin(), extensions_.end(), is_it);
  if (found == extensions_.end()) return;
  const auto removed = std::move(*found);  // destroyed after it has left the list
  extensions_.erase(found);
}

bool LoopCore::only_writes_left() const {
  unsigned keeping = loop_->active_reqs.count;
  uv_walk(
      loop_,
      [](uv_handle_t* handle, void* count) {
        const bool keeps = uv_is_active(handle) && uv_has_ref(handle) && !uv_is_closing(handle);
        *static_cast<unsigned*>(count) += keeps;
      },
      &keeping);
  return keeping == writes_;
}

}  // namespace tine::uv
