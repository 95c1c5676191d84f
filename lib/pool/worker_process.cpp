#include "pool/worker_process.hpp"

#include <chrono>
#include <csignal>
#include <utility>

#include "pool/pass_on.hpp"
#include "uv/loop_core.hpp"

namespace tine::pool {

namespace {

// Another process may hold the stderr of a worker that has ended.
constexpr std::chrono::milliseconds patience_for_output(100);

bool pipes_stderr_by_default(const ForkOptions& fork) { return fork.stdio.empty() && !fork.silent; }

ForkOptions fork_options(const PoolOptions& options) {
  ForkOptions fork = options.fork;
  if (pipes_stderr_by_default(fork)) {
    fork.stdio = {Stdio::inherit(), Stdio::inherit(), Stdio::pipe(), Stdio::ipc()};
  }
  return fork;
}

}  // namespace

void WorkerProcess::start(const std::filesystem::path& module, const PoolOptions& options) {
  child_ = fork(loop_, module, fork_options(options));
  child_.unref();
  child_.channel().unref();
  rpc_ = rpc::State::of(child_, {});
  listen(options);
}

void WorkerProcess::listen(const PoolOptions& options) {
  const auto weak = weak_from_this();
  child_.on<"error">([weak](const Error& error) {
    if (const auto self = weak.lock()) self->failed(error);
  });
  child_.on<"disconnect">([weak] {
    if (const auto self = weak.lock()) self->owner_.worker_lost(*self);
  });
  child_.on<"exit">([weak] {
    if (const auto self = weak.lock()) self->exited();
  });
  child_.on<"close">([weak] {
    if (const auto self = weak.lock()) self->ended();
  });
  listen_to_stderr(pipes_stderr_by_default(options.fork));
  ready_watch_.emplace(core_of(loop_), child_, options.ready, options.ready_deadline,
                       [weak](const supervision::Started& started) {
                         if (const auto self = weak.lock()) self->ready_or_not(started);
                       });
}

void WorkerProcess::listen_to_stderr(bool passed_on) {
  const Stream output = child_.err();
  output.unref();
  output.on<"data">([weak = weak_from_this(), passed_on](std::string_view bytes) {
    if (passed_on) pass_on_to_stderr(bytes);
    if (const auto self = weak.lock()) self->stderr_tail_.add(bytes);
  });
}

void WorkerProcess::failed(const Error& error) {
  if (child_.pid()) return owner_.worker_error(*this, error);
  failure_ = error.what();  // "close" follows
}

void WorkerProcess::ready_or_not(const supervision::Started& started) {
  using As = supervision::Started::As;
  ready_watch_.reset();
  if (started.as == As::ready) {
    was_ready_ = true;
    return owner_.worker_ready(*this);
  }
  if (started.as == As::ended) return;  // "close" follows
  failure_ = started.why;
  kill();
}

void WorkerProcess::stop(const StopOptions& options) {
  to_end_ = true;
  child_.stop(options);
}

void WorkerProcess::kill() {
  to_end_ = true;
  if (!child_.kill_tree(SIGKILL)) child_.kill(SIGKILL);
}

void WorkerProcess::answered(TaskId task) {
  std::erase_if(given_, [task](const Given& given) { return given.task == task; });
}

void WorkerProcess::cancel(TaskId task) {
  for (const Given& given : given_) {
    if (given.task == task) rpc_->caller().ask_to_cancel(*given.request);
  }
}

void WorkerProcess::exited() {
  if (!child_.err() || ended_) return;
  uv::LoopCore& core = core_of(loop_);
  output_wait_.emplace(core, [&core, weak = weak_from_this()] {
    core.defer([weak] {
      if (const auto self = weak.lock()) self->ended();
    });
  });
  output_wait_->set_ref(false);
  output_wait_->start(patience_for_output);
}

void WorkerProcess::ended() {
  output_wait_.reset();
  ready_watch_.reset();
  if (!std::exchange(ended_, true)) owner_.worker_ended(*this);
}

void WorkerProcess::close() noexcept {
  output_wait_.reset();
  ready_watch_.reset();
  rpc_.reset();
  ended_ = true;
}

std::string WorkerProcess::obituary() const {
  if (!child_.pid()) return failure_;
  std::string text = "worker " + std::to_string(*child_.pid());
  if (!failure_.empty()) text += " " + failure_ + ", and";
  text += " ended by " + to_string(exit_status());
  const std::string_view lines = stderr_tail_.lines();
  if (!lines.empty()) text.append("; its stderr ends with:\n").append(lines);
  return text;
}

}  // namespace tine::pool
