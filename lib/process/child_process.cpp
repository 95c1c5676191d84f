#include "tine/child_process.hpp"

#include <chrono>
#include <csignal>
#include <cstring>
#include <optional>
#include <system_error>
#include <utility>

#include "channel/channel_state.hpp"
#include "process/environment.hpp"
#include "tine/loop.hpp"
#include "uv/subprocess.hpp"
#include "uv/timer.hpp"

namespace tine {

// Lives from fork() until "close", or for as long as there is a handle.
class ChildProcess::State final
    : public channel::ChannelState<Event<"spawn">, Event<"connected">, Event<"message", Message>,
                                   Event<"error", Error>, Event<"drain">, Event<"disconnect">,
                                   Event<"exit", ExitStatus>, Event<"close", ExitStatus>> {
 public:
  using ChannelState::ChannelState;

  void start(const std::filesystem::path& module, const ForkOptions& options);

  bool kill(int signal);
  bool killed() const { return killed_; }
  void set_ref(bool ref);
  std::optional<int> pid() const { return pid_; }
  std::optional<ExitStatus> exit_status() const { return exit_status_; }

  bool keeps_loop() const override { return true; }
  void on_ended() override {
    end_when_exited();
    look_for_loss();
  }
  void loop_closing() noexcept override;

 private:
  // The events of its life, in order, and that it is over.
  enum class Stage { spawn, connected, exit, close, retirement, end };

  void spawn(uv::SubprocessOptions& subprocess);
  void tell_up_to(Stage stage) noexcept;
  void tell_life();
  void tell(Stage stage);
  void exited(ExitStatus status);
  void end_when_exited();
  void look_for_loss();

  std::unique_ptr<uv::Subprocess> subprocess_;
  std::optional<uv::RawTimer> loss_timer_;
  std::optional<int> pid_;
  Stage told_ = Stage::spawn;              // up to here
  Stage due_ = Stage::spawn;               // up to here it may be told
  std::optional<ExitStatus> ended_as_;     // known to us
  std::optional<ExitStatus> exit_status_;  // told to the user
  bool kill_with_loop_ = false;
  bool killed_ = false;
  uv::Task life_task_{[this] { tell_life(); }};
};

namespace {

// A path is never looked up in PATH.
std::string as_path(const std::filesystem::path& module) {
  return module.has_parent_path() ? module.string() : "./" + module.string();
}

uv::SubprocessOptions subprocess_options(const std::filesystem::path& module,
                                         const ForkOptions& options) {
  uv::SubprocessOptions subprocess;
  auto& args = subprocess.args;
  if (options.exec_path.empty()) {
    args.push_back(as_path(module));
  } else {
    args.push_back(options.exec_path);
    args.insert(args.end(), options.exec_args.begin(), options.exec_args.end());
    args.push_back(module.string());
  }
  args.insert(args.end(), options.args.begin(), options.args.end());
  subprocess.env = process::child_environment(options.env, options.inherit_env,
                                              uv::Subprocess::channel_descriptor);
  subprocess.cwd = options.cwd;
  return subprocess;
}

std::string spawn_text(const uv::SubprocessOptions& subprocess, const std::system_error& error) {
  std::string text = "spawn " + subprocess.args.front();
  if (!subprocess.cwd.empty()) text += " in " + subprocess.cwd;
  if (const auto* const spawn = dynamic_cast<const uv::SpawnError*>(&error)) {
    text += std::string(": ") + spawn->step();
  }
  return text;
}

ExitStatus exit_status_of(const uv::SubprocessExit& exit) {
  if (!exit.known) return {};
  return exit.signal == 0 ? ExitStatus{.code = exit.code} : ExitStatus{.signal = exit.signal};
}

}  // namespace

void ChildProcess::State::start(const std::filesystem::path& module, const ForkOptions& options) {
  kill_with_loop_ = options.kill_with_loop;
  uv::SubprocessOptions subprocess = subprocess_options(module, options);
  try {
    spawn(subprocess);
    tell_up_to(Stage::exit);
  } catch (const std::system_error& error) {
    end().close();
    end().report(Error(error.code(), spawn_text(subprocess, error)));
    told_ = Stage::close;
    due_ = Stage::end;
    ended_as_ = ExitStatus{};
    // Behind what is said of messages that are sent to it until then.
    core()->defer_to_next_turn(life_task_, shared_from_this());
  }
}

// Our end is opened first: all that can fail has failed when the program runs.
void ChildProcess::State::spawn(uv::SubprocessOptions& subprocess) {
  uv::SocketPair pair = uv::make_socket_pair();
  end().open(std::move(pair.ours));
  subprocess.stdio.push_back(pair.theirs.get());
  subprocess_ = uv::Subprocess::start(*core(), subprocess, [this](const uv::SubprocessExit& exit) {
    exited(exit_status_of(exit));
  });
  pid_ = subprocess_->pid();
}

void ChildProcess::State::exited(ExitStatus status) {
  const auto keep = shared_from_this();
  subprocess_.reset();
  loss_timer_.reset();
  ended_as_ = status;
  end().peer_died();
  end_when_exited();
}

// "exit" and "close" are due when both the process and its channel have ended; the one that ends
// last comes here with both true.
void ChildProcess::State::end_when_exited() {
  if (ended_as_ && end().closed()) tell_up_to(Stage::end);
}

void ChildProcess::State::tell_up_to(Stage stage) noexcept {
  due_ = stage;
  defer(life_task_);
}

void ChildProcess::State::tell_life() {
  try {
    while (told_ < due_)
      tell(std::exchange(told_, static_cast<Stage>(static_cast<int>(told_) + 1)));
  } catch (...) {
    if (told_ < due_) defer_first(life_task_);
    throw;
  }
}

void ChildProcess::State::tell(Stage stage) {
  switch (stage) {
    case Stage::spawn: return emit<"spawn">();
    case Stage::connected: return emit<"connected">();
    case Stage::exit: exit_status_ = ended_as_; return emit<"exit">(*exit_status_);
    case Stage::close: return emit<"close">(*ended_as_);
    case Stage::retirement: return retire(errors_when_retired());
    case Stage::end: return;
  }
}

// Somebody else in this program may wait for our child, and nobody would tell us that it ended. It is
// rare, so it is looked for now and then, once the channel has ended.
void ChildProcess::State::look_for_loss() {
  constexpr auto now_and_then = std::chrono::seconds(1);
  if (!subprocess_) return;
  if (subprocess_->is_lost()) return exited(ExitStatus{});
  if (!loss_timer_) {
    loss_timer_.emplace(*core(), [this] { look_for_loss(); });
    loss_timer_->set_ref(false);
  }
  loss_timer_->start(now_and_then);
}

bool ChildProcess::State::kill(int signal) {
  const bool sent = subprocess_ && subprocess_->kill(signal);
  killed_ = killed_ || sent;
  return sent;
}

void ChildProcess::State::set_ref(bool ref) {
  if (subprocess_) subprocess_->set_ref(ref);
}

void ChildProcess::State::loop_closing() noexcept {
  if (kill_with_loop_) kill(SIGKILL);
  subprocess_.reset();
  loss_timer_.reset();
  ChannelState::loop_closing();
}

ChildProcess fork(Loop& loop, const std::filesystem::path& module, ForkOptions options) {
  uv::LoopCore& core = core_of(loop);
  const auto state = std::make_shared<ChildProcess::State>(core, options.channel);
  core.keep(state);
  try {
    state->start(module, options);
  } catch (...) {
    core.release(*state);
    throw;
  }
  return ChildProcess(state);
}

ChildProcess::ChildProcess(std::shared_ptr<State> state)
    : Emitter(state), ChannelEnd(State::end_of(state)), state_(std::move(state)) {}

bool ChildProcess::kill(int signal) { return state_->kill(signal); }
bool ChildProcess::killed() const { return state_->killed(); }
void ChildProcess::ref() { state_->set_ref(true); }
void ChildProcess::unref() { state_->set_ref(false); }
std::optional<int> ChildProcess::pid() const { return state_->pid(); }
std::optional<ExitStatus> ChildProcess::exit_status() const { return state_->exit_status(); }

std::string to_string(const ExitStatus& status) {
  if (status.code) return "code " + std::to_string(*status.code);
  if (!status.signal) return "unknown";
  return "signal " + std::to_string(*status.signal) + " (" + strsignal(*status.signal) + ")";
}

}  // namespace tine
