#include "process/child_state.hpp"

#include <csignal>
#include <utility>

#include "process/environment.hpp"
#include "spawn/process_tree.hpp"

namespace tine {

namespace {

std::string spawn_text(const spawn::SubprocessOptions& subprocess, const spawn::SpawnError& error) {
  std::string text = "spawn " + subprocess.file;
  if (!subprocess.cwd.empty()) text += " in " + subprocess.cwd;
  return text + ": " + error.step();
}

ExitStatus exit_status_of(const spawn::SubprocessExit& exit) {
  if (!exit.known) return {};
  return exit.signal == 0 ? ExitStatus{.code = exit.code} : ExitStatus{.signal = exit.signal};
}

std::chrono::microseconds microseconds(const timeval& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

// Called on Linux only, which counts memory in KiB.
std::optional<std::size_t> max_rss_of(const rusage& usage) {
  if (usage.ru_maxrss == 0) return std::nullopt;
  return static_cast<std::size_t>(usage.ru_maxrss) * 1024;
}

ResourceUsage usage_of(const rusage& usage) {
  return {.user_time = microseconds(usage.ru_utime),
          .system_time = microseconds(usage.ru_stime),
          .max_rss = max_rss_of(usage),
          .major_page_faults = static_cast<std::uint64_t>(usage.ru_majflt),
          .minor_page_faults = static_cast<std::uint64_t>(usage.ru_minflt),
          .voluntary_context_switches = static_cast<std::uint64_t>(usage.ru_nvcsw),
          .involuntary_context_switches = static_cast<std::uint64_t>(usage.ru_nivcsw)};
}

// Returns the same error with a prefix to its text. Both texts are "text: meaning of the code".
Error prefixed(const std::string& prefix, const Error& error) {
  std::string text = error.what();
  const std::string meaning = error.code().message();
  if (text.ends_with(": " + meaning)) {
    text.resize(text.size() - meaning.size() - 2);
  } else if (text == meaning) {
    text.clear();
  }
  Error named(error.code(), prefix + text);
  if (error.offset()) named.at(*error.offset());
  return named;
}

// Descriptors beyond the standard three go both ways.
net::Direction direction_of(std::size_t slot) {
  if (slot == 0) return net::Direction::write;
  return slot <= 2 ? net::Direction::read : net::Direction::both;
}

}  // namespace

ChildProcess ChildProcess::State::fork(uv::LoopCore& core, const std::filesystem::path& module,
                                       const ForkOptions& options, std::optional<int> worker) {
  const auto state = std::make_shared<State>(core, options.channel, options.serialization);
  core.keep(state);
  try {
    state->start(module, options, worker);
  } catch (...) {
    core.release(*state);
    throw;
  }
  return ChildProcess(state);
}

void ChildProcess::State::start(const std::filesystem::path& module, const ForkOptions& options,
                                std::optional<int> worker) {
  process::ForkPlan plan = process::plan_fork(module, options, worker);
  file_ = plan.subprocess.file;
  name_ = worker ? "worker " + std::to_string(*worker) : "child " + file_;
  args_ = plan.subprocess.args;
  leads_group_ = options.own_group || options.detached;
  kill_with_loop_ = options.kill_with_loop;
  try {
    make_pipes(plan.stdio);
    start(plan, options);
  } catch (...) {
    abandon_pipes();
    throw;
  }
}

void ChildProcess::State::start(process::ForkPlan& plan, const ForkOptions& options) {
  try {
    process::refuse_wrong(plan, options);
    spawn(plan, options);
    schedule(Stage::spawn);
    schedule(Stage::connected);
  } catch (const spawn::SpawnError& error) {
    failed(Error(error.code(), spawn_text(plan.subprocess, error)));
  } catch (const Error& error) {
    failed(error);
  }
}

// Opens the parent's ends first, so that nothing can fail once the program runs.
void ChildProcess::State::spawn(process::ForkPlan& plan, const ForkOptions& options) {
  spawn::SocketPair pair = spawn::make_socket_pair();
  end().open(std::move(pair.ours));
  plan.subprocess.stdio[static_cast<std::size_t>(plan.channel_slot)] = pair.theirs.get();
  plan.subprocess.env.push_back(process::tine_variable(pair.theirs.get()));
  std::vector<base::Descriptor> their_ends;
  for (const Pipe& pipe : pipes_) {
    spawn::SocketPair ends = spawn::make_socket_pair();
    pipe.stream->bytes().open(std::move(ends.ours), direction_of(pipe.slot));
    plan.subprocess.stdio[pipe.slot] = their_ends.emplace_back(std::move(ends.theirs)).get();
  }
  prepare_to_end_by(options);
  subprocess_ = spawn::Subprocess::start(
      *core(), plan.subprocess, [this](const spawn::SubprocessExit& exit) { exited(exit); });
  pid_ = subprocess_->pid();
  end().name_peer(*pid_);
}

// The child keeps the loop alive if that is wanted, so the timers need not.
void ChildProcess::State::prepare_to_end_by(const ForkOptions& options) {
  kill_signal_ = options.kill_signal;
  if (options.timeout.count() > 0) {
    timeout_.emplace(*core(), [this] { kill(kill_signal_); });
    timeout_->set_ref(false);
    timeout_->start(options.timeout);
  }
  if (options.stop.stop_possible()) {
    aborted_.emplace(Errc::aborted, "the stop of " + file_ + " was requested");
    stop_watch_.emplace(*core(), weak_from_this(), [this] { stop_requested(); });
    stop_watch_->start(options.stop);
  }
}

void ChildProcess::State::failed(Error error) {
  forget_subprocess();
  end().fail(std::move(error));
  ended_as_ = ExitStatus{};
  for (const Pipe& pipe : pipes_) pipe.stream->give_up();
  if (open_pipes_ > 0) return;
  // Runs after the reports about messages that are sent to the child until then.
  life_.set_due(Stage::close);
  life_.schedule_next_turn(Stage::retirement, core(), shared_from_this());
}

// A program may have many children, so an error names its child. An error that kept the child from
// starting does so by itself.
void ChildProcess::State::on_error(Error error) {
  if (pid_) error = prefixed(name_ + " (pid " + std::to_string(*pid_) + "): ", error);
  PeerState::on_error(std::move(error));
}

void ChildProcess::State::exited(const spawn::SubprocessExit& exit) {
  const auto keep = shared_from_this();
  forget_subprocess();
  ended_as_ = exit_status_of(exit);
  if (exit.usage) usage_ = usage_of(*exit.usage);
  close_stdin();
  end().peer_died();
  end_when_exited();
}

void ChildProcess::State::on_ended() {
  PeerState::on_ended();
  end_when_exited();
  if (subprocess_) subprocess_->look_for_loss();
}

// "exit" is due when both the process and its channel have ended, "close" when its pipes have ended
// too. Each of them calls this when it ends.
void ChildProcess::State::end_when_exited() {
  if (!ended_as_ || !end().closed()) return;
  if (pid_ && !life_.ever_due(Stage::exit)) {
    if (attachment()) attachment()->exited();
    schedule(Stage::exit);
    schedule(Stage::flush);
  }
  if (open_pipes_ > 0) return;
  schedule(Stage::close);
  schedule(Stage::retirement);
}

void ChildProcess::State::schedule(Stage stage) noexcept {
  life_.schedule(stage, core(), shared_from_this());
}

void ChildProcess::State::emit(Stage stage) {
  switch (stage) {
    case Stage::spawn: return notify<"spawn">();
    case Stage::connected: return notify<"connected">();
    case Stage::exit: exit_status_ = ended_as_; return notify<"exit">(*exit_status_);
    case Stage::flush: return flush_pipes();
    case Stage::close: return notify<"close">(*ended_as_);
    case Stage::retirement: return retire_when_read();
  }
}

// A "message" listener that was added lately first gets what is stored for it.
void ChildProcess::State::retire_when_read() {
  if (end().has_wanted_message()) return schedule(Stage::retirement);
  retire();
}

// Called before anything can fail: handles to the pipes exist whatever becomes of the child.
void ChildProcess::State::make_pipes(const std::vector<Stdio>& stdio) {
  for (std::size_t slot = 0; slot < stdio.size(); ++slot) {
    if (stdio[slot].kind() != Stdio::Kind::pipe) continue;
    pipes_.push_back({slot, std::make_shared<net::StreamState>(*core())});
    const auto& stream = pipes_.back().stream;
    core()->keep(stream);
    ++open_pipes_;
    stream->when_closed([self = weak_from_this()] {
      if (const auto owner = self.lock()) static_cast<State&>(*owner).pipe_closed();
    });
  }
}

void ChildProcess::State::pipe_closed() {
  --open_pipes_;
  end_when_exited();
}

// Nobody reads the stdin any more, and its stream would not notice: it only writes.
void ChildProcess::State::close_stdin() noexcept {
  if (!pipes_.empty() && pipes_.front().slot == 0) pipes_.front().stream->bytes().destroy();
}

// Reads and drops output that nobody listens to, unless it is paused: it would never end otherwise.
void ChildProcess::State::flush_pipes() {
  for (const Pipe& pipe : pipes_) {
    auto& bytes = pipe.stream->bytes();
    if (!pipe.stream->wants_data() && !bytes.paused()) bytes.set_flowing(true);
  }
}

void ChildProcess::State::abandon_pipes() noexcept {
  for (const Pipe& pipe : pipes_) {
    pipe.stream->bytes().detach();
    core()->release(*pipe.stream);
  }
}

Stream ChildProcess::State::stdio(std::size_t slot) const {
  for (const Pipe& pipe : pipes_) {
    if (pipe.slot == slot) return pipe.stream->handle();
  }
  return {};
}

bool ChildProcess::State::kill(int signal) {
  check_thread();
  return sent(signal, subprocess_ && subprocess_->kill(signal));
}

// The child's pid is the number of its group until the child has been waited for.
bool ChildProcess::State::kill_tree(int signal) {
  check_thread();
  if (!subprocess_) return false;
  if (!leads_group_) return sent(signal, spawn::kill_descendants(*subprocess_, signal));
  return sent(signal, subprocess_->kill(0) && ::kill(-subprocess_->pid(), signal) == 0);
}

bool ChildProcess::State::sent(int signal, bool success) {
  killed_ = killed_ || (success && signal != 0);
  return success;
}

void ChildProcess::State::stop(const StopOptions& options) {
  if (!subprocess_) return;
  if (!stop_deadline_) {
    stop_deadline_.emplace(*core(), [this] { kill(SIGKILL); });
    stop_deadline_->set_ref(false);
  }
  stop_deadline_->start(options.deadline);
  if (options.signal == 0 && end().connected()) {
    end().disconnect();
  } else {
    kill(options.signal == 0 ? SIGTERM : options.signal);
  }
}

void ChildProcess::State::stop_requested() {
  if (kill(kill_signal_)) on_error(*aborted_);
}

void ChildProcess::State::set_ref(bool ref) {
  check_thread();
  if (subprocess_) subprocess_->set_ref(ref);
}

std::optional<ResourceUsage> ChildProcess::State::resource_usage() const {
  return exit_status_ ? usage_ : std::nullopt;
}

void ChildProcess::State::loop_closing() noexcept {
  if (kill_with_loop_) kill(SIGKILL);
  forget_subprocess();
  PeerState::loop_closing();
}

void ChildProcess::State::forget_subprocess() noexcept {
  if (stop_watch_) stop_watch_->stop();
  stop_deadline_.reset();
  timeout_.reset();
  subprocess_.reset();
}

}  // namespace tine
