#include "tine/child_process.hpp"

#include <cstring>
#include <utility>

#include "process/child_state.hpp"
#include "tine/loop.hpp"

namespace tine {

ChildProcess fork(Loop& loop, const std::filesystem::path& module, ForkOptions options) {
  return ChildProcess::State::fork(core_of(loop), module, options);
}

ChildProcess::ChildProcess(std::shared_ptr<State> state)
    : Emitter(state), ChannelEnd(state), state_(std::move(state)) {}

bool ChildProcess::kill(int signal) const { return state_ && state_->kill(signal); }
bool ChildProcess::killed() const { return state_ && state_->killed(); }
void ChildProcess::stop(StopOptions options) const {
  if (state_) state_->stop(options);
}
bool ChildProcess::kill_tree(int signal) const { return state_ && state_->kill_tree(signal); }
void ChildProcess::ref() const {
  if (state_) state_->set_ref(true);
}
void ChildProcess::unref() const {
  if (state_) state_->set_ref(false);
}
std::optional<int> ChildProcess::pid() const { return state_ ? state_->pid() : std::nullopt; }
std::optional<ExitStatus> ChildProcess::exit_status() const {
  return state_ ? state_->exit_status() : std::nullopt;
}

bool ChildProcess::closed() const { return state_ && state_->closed(); }

std::optional<int> ChildProcess::exit_code() const {
  return exit_status().value_or(ExitStatus{}).code;
}

std::optional<int> ChildProcess::signal_code() const {
  return exit_status().value_or(ExitStatus{}).signal;
}

std::optional<ResourceUsage> ChildProcess::resource_usage() const {
  return state_ ? state_->resource_usage() : std::nullopt;
}

const std::string& ChildProcess::spawn_file() const {
  static const std::string none;
  return state_ ? state_->file() : none;
}

const std::vector<std::string>& ChildProcess::spawn_args() const {
  static const std::vector<std::string> none;
  return state_ ? state_->args() : none;
}

Stream ChildProcess::stdio(std::size_t slot) const {
  return state_ ? state_->stdio(slot) : Stream();
}
Stream ChildProcess::in() const { return stdio(0); }
Stream ChildProcess::out() const { return stdio(1); }
Stream ChildProcess::err() const { return stdio(2); }

std::string to_string(const ExitStatus& status) {
  if (status.code) return "code " + std::to_string(*status.code);
  if (!status.signal) return "unknown";
  return "signal " + std::to_string(*status.signal) + " (" + strsignal(*status.signal) + ")";
}

}  // namespace tine
