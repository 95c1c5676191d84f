#include "process/fork_plan.hpp"

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <utility>

#include "process/environment.hpp"
#include "tine/error.hpp"

namespace tine::process {

namespace {

// Returns a path that is never looked up in PATH.
std::string as_path(const std::filesystem::path& module) {
  return module.has_parent_path() ? module.string() : "./" + module.string();
}

// Fills in missing entries of the first three, as Node does.
std::vector<Stdio> stdio_of(const ForkOptions& options) {
  constexpr std::size_t standard = 3;
  std::vector<Stdio> stdio = options.stdio;
  if (stdio.empty()) {
    stdio.assign(standard, options.silent ? Stdio::pipe() : Stdio::inherit());
    stdio.push_back(Stdio::ipc());
  }
  while (stdio.size() < standard) stdio.push_back(Stdio::pipe());
  return stdio;
}

bool is_ipc(const Stdio& slot) { return slot.kind() == Stdio::Kind::ipc; }

int channel_slot_of(const std::vector<Stdio>& stdio) {
  return static_cast<int>(std::find_if(stdio.begin(), stdio.end(), is_ipc) - stdio.begin());
}

std::vector<int> descriptors(const std::vector<Stdio>& stdio) {
  std::vector<int> fds;
  for (const Stdio& slot : stdio) {
    switch (slot.kind()) {
      case Stdio::Kind::inherit: fds.push_back(spawn::SubprocessOptions::inherited); break;
      case Stdio::Kind::descriptor: fds.push_back(slot.fd()); break;
      default: fds.push_back(spawn::SubprocessOptions::null_device);
    }
  }
  return fds;
}

// A requested signal is set, or the child is not started. The default is set only where the system
// supports it.
int parent_death_signal(const ForkOptions& options) {
  if (options.parent_death_signal) return *options.parent_death_signal;
  return !options.detached && spawn::Subprocess::does_all() ? SIGKILL : 0;
}

void set_program(spawn::SubprocessOptions& subprocess, const std::filesystem::path& module,
                 const ForkOptions& options) {
  const bool direct = options.exec_path.empty();
  subprocess.file = direct ? as_path(module) : options.exec_path;
  auto& args = subprocess.args;
  args.push_back(options.argv0.empty() ? subprocess.file : options.argv0);
  if (!direct) {
    args.insert(args.end(), options.exec_args.begin(), options.exec_args.end());
    args.push_back(module.string());
  }
  args.insert(args.end(), options.args.begin(), options.args.end());
}

// --- what is rejected

struct Refusal {
  Refusal(Errc its_error, std::string why) : error(its_error), text(std::move(why)) {}
  Errc error;
  std::string text;
};

bool has_nul(const std::string& text) { return text.find('\0') != text.npos; }

void verify_stdio(const std::vector<Stdio>& stdio) {
  const auto channels = std::count_if(stdio.begin(), stdio.end(), is_ipc);
  if (channels > 1) throw Refusal(Errc::ipc_one_pipe, "stdio has several ipc slots");
  if (channels == 0) throw Refusal(Errc::ipc_required, "stdio has no ipc slot");
  for (std::size_t i = 0; i < stdio.size(); ++i) {
    if (stdio[i].kind() == Stdio::Kind::descriptor && stdio[i].fd() < 0) {
      throw Refusal(Errc::invalid_argument, "stdio[" + std::to_string(i) + "] is the descriptor " +
                                                std::to_string(stdio[i].fd()));
    }
  }
}

void verify_texts(const spawn::SubprocessOptions& subprocess) {
  if (has_nul(subprocess.file)) throw Refusal(Errc::invalid_argument, "a NUL byte in the program");
  if (has_nul(subprocess.cwd)) throw Refusal(Errc::invalid_argument, "a NUL byte in cwd");
  for (std::size_t i = 0; i < subprocess.args.size(); ++i) {
    if (has_nul(subprocess.args[i])) {
      throw Refusal(Errc::invalid_argument, "a NUL byte in argv[" + std::to_string(i) + "]");
    }
  }
}

void verify_env(const std::map<std::string, std::optional<std::string>>& env) {
  for (const auto& [name, value] : env) {
    if (name.empty() || name.find('=') != name.npos || has_nul(name)) {
      throw Refusal(Errc::invalid_argument, "env has a variable of the name \"" + name + "\"");
    }
    if (value && has_nul(*value)) {
      throw Refusal(Errc::invalid_argument, "a NUL byte in env[\"" + name + "\"]");
    }
  }
}

void verify_signal(int signal, int least, const char* option) {
  if (signal < least || signal >= NSIG) {
    throw Refusal(Errc::unknown_signal, std::string(option) + " is " + std::to_string(signal));
  }
}

void verify_numbers(const ForkOptions& options) {
  constexpr int most_favoured = -20;
  constexpr int least_favoured = 19;
  verify_signal(options.kill_signal, 1, "kill_signal");
  verify_signal(options.parent_death_signal.value_or(0), 0, "parent_death_signal");
  if (options.timeout.count() < 0) throw Refusal(Errc::out_of_range, "timeout is negative");
  if (options.nice && (*options.nice < most_favoured || *options.nice > least_favoured)) {
    throw Refusal(Errc::out_of_range, "nice is " + std::to_string(*options.nice));
  }
}

void verify(const ForkPlan& plan, const ForkOptions& options) {
  if (!options.stdio.empty() && options.silent) {
    throw Refusal(Errc::invalid_argument, "silent has no meaning beside stdio");
  }
  verify_stdio(plan.stdio);
  verify_texts(plan.subprocess);
  verify_env(options.env);
  verify_numbers(options);
}

}  // namespace

ForkPlan plan_fork(const std::filesystem::path& module, const ForkOptions& options,
                   std::optional<int> worker) {
  ForkPlan plan;
  plan.stdio = stdio_of(options);
  plan.channel_slot = channel_slot_of(plan.stdio);
  spawn::SubprocessOptions& subprocess = plan.subprocess;
  set_program(subprocess, module, options);
  subprocess.env = child_environment(options.env, options.inherit_env, plan.channel_slot, worker,
                                     options.serialization);
  subprocess.cwd = options.cwd;
  subprocess.stdio = descriptors(plan.stdio);
  subprocess.detached = options.detached;
  subprocess.new_group = options.own_group;
  subprocess.uid = options.uid;
  subprocess.gid = options.gid;
  subprocess.limits = options.limits;
  subprocess.nice = options.nice;
  subprocess.parent_death_signal = parent_death_signal(options);
  return plan;
}

void refuse_wrong(const ForkPlan& plan, const ForkOptions& options) {
  try {
    verify(plan, options);
  } catch (const Refusal& refusal) {
    throw Error(refusal.error, "fork " + plan.subprocess.file + ": " + refusal.text);
  }
}

}  // namespace tine::process
