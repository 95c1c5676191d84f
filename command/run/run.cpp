#include "command/run/run.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "command/run/input.hpp"
#include "command/run/output.hpp"
#include "command/run/silence.hpp"
#include "command/shared/json_print.hpp"
#include "command/shared/signals.hpp"
#include "command/shared/status.hpp"
#include "tine/loop.hpp"

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

class Run {
 public:
  explicit Run(const RunOptions& options)
      : options_(options),
        style_{options.pretty, use_color(options.color, STDOUT_FILENO)},
        silence_(options.linger),
        input_(loop_, options.keep_going, silence_, [this](int status) { on_input_end(status); }),
        output_(loop_, options.quiet ? Stream() : standard_output(loop_),
                {.full = [this] { pause_child(); },
                 .drained = [this] { resume_child(); },
                 .failed = [this](const Error& error) { on_output_failed(error); }}) {}

  int run() {
    listen_for_signals();
    fork_child();
    input_.start(child_);
    loop_.run();
    return forced_status_.value_or(status_);
  }

 private:
  int open_stdout_file();
  void fork_child();
  void on_input_end(int status);
  void look_for_silence();
  void look_for_silence_later();
  void listen();
  void take_the_rest();
  void on_message(Text message);
  void pause_child();
  void resume_child();
  void on_error(const Error& error);
  void on_close(const ExitStatus& status);
  void on_output_failed(const Error& error);
  void listen_for_signals();
  void listen_for_stop();
  void end_child(const Signal& signal);
  void stop_with_child(const Signal& signal);
  void stop_child_later();
  void kill_later(milliseconds delay);

  const RunOptions& options_;
  Loop loop_;
  PrintStyle style_;
  SignalListener stop_signal_;
  Silence silence_;
  Input input_;
  Output output_;
  ChildProcess child_;

  std::optional<int> forced_status_;
  int status_ = 0;
  int signals_seen_ = 0;
};

int Run::open_stdout_file() {
  if (options_.stdout_file.empty()) return STDERR_FILENO;
  constexpr int mode = 0666;
  const int fd = open(options_.stdout_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), options_.stdout_file);
  return fd;
}

void Run::fork_child() {
  ForkOptions how = fork_options(options_.child);
  how.stdio = {Stdio::ignore(), Stdio::descriptor(open_stdout_file()), Stdio::inherit(),
               Stdio::ipc()};
  // At a terminal the child stays in our process group: otherwise it could not read the terminal,
  // and would not be stopped and continued with us. Without a terminal it gets a group of its own,
  // so that a signal to our whole group reaches it only once, through us.
  how.own_group = !has_terminal();
  child_ = fork(loop_, options_.child.child, std::move(how));
  listen();
  child_.on<"drain">([this] { input_.on_drain(); });
  child_.on<"error">([this](const Error& error) { on_error(error); });
  child_.on<"disconnect">([this] {
    input_.stop();
    stop_child_later();
  });
  child_.on<"close">([this](const ExitStatus& status) { on_close(status); });
}

void Run::listen() {
  child_.on<"message">([this](Text message) { on_message(message); });
  // Because of this listener all messages are parsed: invalid JSON is an error, and no listener
  // gets it.
  child_.on<"message">([](const nlohmann::json&) {});
}

void Run::on_input_end(int status) {
  if (status != status::ok) forced_status_ = status;
  if (!options_.wait || forced_status_) look_for_silence_later();
}

// After disconnect() the child cannot reply, so it is disconnected only once it has been silent for
// a while.
void Run::look_for_silence() {
  if (!child_.connected()) return;
  const Channel channel = child_.channel();
  if (output_.full() || channel.queued_bytes() > 0 || !channel.peer_has_read_all()) {
    silence_.interrupt();
  }
  if (silence_.is_final()) return child_.disconnect();
  look_for_silence_later();
}

// Uses a timer, so that messages that have come are read first: this process may have been stopped
// for a long time.
void Run::look_for_silence_later() {
  constexpr milliseconds between_looks{10};
  loop_.after(between_looks, [this] { look_for_silence(); }).unref();
}

// A child may live on after the disconnect, as a language server does until it is told to exit. It
// is stopped, because nobody could talk to it any more.
void Run::stop_child_later() {
  if (options_.wait && !forced_status_) return;
  loop_
      .after(
          options_.kill_after,
          [this] {
            if (!child_.kill(0)) return;
            std::fprintf(
                stderr,
                "tine: the child has not ended %lld ms after it was disconnected; it is stopped\n",
                static_cast<long long>(options_.kill_after.count()));
            constexpr milliseconds grace{1000};
            child_.stop({.deadline = grace});
          })
      .unref();
}

void Run::on_message(Text message) {
  silence_.message_received();
  if (options_.quiet) return;
  if (style_.pretty || style_.color) {
    // A text that the channel accepts, but this parser does not, is shown as it is.
    const auto value = nlohmann::ordered_json::parse(message.json, nullptr, false);
    output_.write(value.is_discarded() ? std::string(message.json) : print_json(value, style_));
  } else {
    output_.write(message.json);
  }
  output_.write("\n");
}

// When the channel is closed, only a bounded number of messages is left.
void Run::pause_child() {
  silence_.interrupt();
  if (child_.channel().open()) child_.channel().pause();
}

void Run::resume_child() {
  silence_.interrupt();
  child_.channel().resume();
}

void Run::on_error(const Error& error) {
  if (input_.on_error(error)) return;
  if (!child_.pid()) {
    forced_status_ = error.code() == std::errc::no_such_file_or_directory ? status::not_found
                                                                          : status::not_executable;
  }
  const bool expected = forced_status_ == status::closed_output || signals_seen_ > 0;
  if (!expected) std::fprintf(stderr, "tine: %s\n", error.what());
}

void Run::on_close(const ExitStatus& status) {
  input_.stop();
  status_ = shell_status(status);
  if (output_.full()) loop_.post([this] { take_the_rest(); });
}

// Delivers the messages that came while stdout was full. They need a new listener, because "close"
// drops the old ones. Their size is bounded, so there is no need to pause any more.
void Run::take_the_rest() {
  listen();
  child_.channel().resume();
}

// Ends the child. A reader of stdout that has gone is not reported: it may have seen enough.
void Run::on_output_failed(const Error& error) {
  constexpr milliseconds grace{1000};
  const bool gone =
      error.code() == std::errc::broken_pipe || error.code() == std::errc::connection_reset;
  forced_status_ = gone ? status::closed_output : status::io_error;
  if (!gone) std::fprintf(stderr, "tine: stdout: %s\n", error.code().message().c_str());
  input_.stop();
  resume_child();
  child_.kill(SIGTERM);
  kill_later(grace);
}

void Run::listen_for_signals() {
  on_ending_signals(loop_, [this](const Signal& signal) { end_child(signal); });
  if (!is_ignored(SIGTSTP)) listen_for_stop();
}

void Run::listen_for_stop() {
  stop_signal_ =
      on_signal(loop_, SIGTSTP, [this](const Signal& signal) { stop_with_child(signal); });
}

// The first signal is passed on to the child, the second kills the child. The third ends this
// process, whose output may be stuck.
void Run::end_child(const Signal& signal) {
  ++signals_seen_;
  constexpr int kill = 2;
  if (signals_seen_ > kill) std::_Exit(128 + signal.number);
  if (signals_seen_ == kill) {
    child_.kill(SIGKILL);
  } else if (!child_has_had(signal)) {
    child_.kill(signal.number);
  }
  kill_later(options_.kill_after);
}

// The terminal's Ctrl-Z acts as if we did not catch it: it stops us, unless nobody could continue
// us (an orphaned process group). Any other SIGTSTP stops the child, then us; when we continue, so
// does the child.
void Run::stop_with_child(const Signal& signal) {
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

void Run::kill_later(milliseconds delay) {
  loop_.after(delay, [this] { child_.kill(SIGKILL); }).unref();
}

}  // namespace

int run(const RunOptions& options) { return Run(options).run(); }

}  // namespace tine::command
