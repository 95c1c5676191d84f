#include "command/shared/child_job.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "command/shared/signals.hpp"
#include "command/shared/status.hpp"

namespace tine::command {

namespace {

using std::chrono::milliseconds;

bool has_terminal() {
  const int terminal = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);
  if (terminal < 0) return false;
  close(terminal);
  return true;
}

// Whether the child has received the signal too, because the terminal sent it to our whole process
// group. A hangup goes to the leader of the session alone.
bool child_has_had(const Signal& signal) {
  return signal.from_kernel && !(signal.number == SIGHUP && getsid(0) == getpid());
}

int open_stdout_file(const std::string& path) {
  if (path.empty()) return STDERR_FILENO;
  constexpr int mode = 0666;
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), path);
  return fd;
}

}  // namespace

ChildJob::ChildJob(Loop& loop, const JobOptions& options, std::function<void()> signalled)
    : loop_(loop), options_(options), signalled_(std::move(signalled)) {
  on_ending_signals(loop_, [this](const Signal& signal) { end(signal); });
  if (!is_ignored(SIGTSTP)) listen_for_stop();
}

ChildProcess ChildJob::start() {
  ForkOptions how = fork_options(options_.child);
  how.stdio = {Stdio::ignore(), Stdio::descriptor(open_stdout_file(options_.stdout_file)),
               Stdio::inherit(), Stdio::ipc()};
  // At a terminal the child stays in our process group: otherwise it could not read the terminal,
  // and would not be stopped and continued with us. Without a terminal it gets a group of its own,
  // so that a signal to our whole group reaches it only once, through us.
  how.own_group = !has_terminal();
  child_ = fork(loop_, options_.child.child, std::move(how));
  return child_;
}

// A child may live on after the disconnect, as a language server does until it is told to exit. It
// is stopped, because nobody could talk to it any more.
void ChildJob::stop_later() {
  const auto stop = [this] {
    if (!child_.kill(0)) return;
    std::fprintf(stderr,
                 "tine: the child has not ended %lld ms after it was disconnected; it is stopped\n",
                 static_cast<long long>(options_.kill_after.count()));
    constexpr milliseconds grace{1000};
    child_.stop({.deadline = grace});
  };
  loop_.after(options_.kill_after, stop).unref();
}

void ChildJob::kill_later(milliseconds delay) {
  loop_.after(delay, [this] { child_.kill(SIGKILL); }).unref();
}

void ChildJob::listen_for_stop() {
  stop_signal_ = on_signal(loop_, SIGTSTP, [this](const Signal& signal) { stop_both(signal); });
}

// The first signal is passed on to the child, the second kills the child. The third ends this
// process, whose output may be stuck.
void ChildJob::end(const Signal& signal) {
  if (++signals_ == 1) first_signal_ = signal.number;
  constexpr int kill = 2;
  if (signals_ > kill) std::_Exit(128 + signal.number);
  signalled_();
  if (signals_ == kill) {
    child_.kill(SIGKILL);
  } else if (!child_has_had(signal)) {
    child_.kill(signal.number);
  }
  kill_later(options_.kill_after);
}

// The terminal's Ctrl-Z acts as if we did not catch it: it stops us, unless nobody could continue
// us (an orphaned process group). Any other SIGTSTP stops the child, then us; when we continue, so
// does the child.
void ChildJob::stop_both(const Signal& signal) {
  if (!child_has_had(signal)) {
    child_.kill_tree(SIGTSTP);
    raise(SIGSTOP);
    child_.kill_tree(SIGCONT);
    return;
  }
  stop_signal_.cancel();
  raise(SIGTSTP);
  listen_for_stop();
}

int start_status(const Error& error) {
  return error.code() == std::errc::no_such_file_or_directory ? status::not_found
                                                              : status::not_executable;
}

}  // namespace tine::command
