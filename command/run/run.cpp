#include "command/run/run.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "command/run/byte_reader.hpp"
#include "command/run/byte_writer.hpp"
#include "command/shared/json_print.hpp"
#include "command/shared/line_splitter.hpp"
#include "command/shared/signals.hpp"
#include "command/shared/status.hpp"
#include "tine/loop.hpp"

namespace tine::command {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// How long a child must be silent after the end of our input before it is disconnected.
constexpr milliseconds silence_when_all_answered{100};
constexpr milliseconds silence_when_not{5000};

constexpr std::size_t longest_line = std::size_t{256} << 20;

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
        in_(loop_, STDIN_FILENO, [this](std::string_view bytes) { on_input(bytes); }),
        out_(loop_, STDOUT_FILENO,
             {[this] { set_paused(false); }, [this](int error) { on_output_failed(error); }, {}}) {}

  int run() {
    listen_for_signals();
    fork_child();
    in_.more();
    loop_.run();
    return status_;
  }

 private:
  int open_stdout_file();
  void fork_child();
  void on_input(std::string_view bytes);
  void send_lines();
  void on_refused(const Error& error);
  void bad_line(std::size_t column, std::string_view reason);
  void on_input_end();
  void look_for_silence();
  void look_for_silence_later();
  milliseconds patience() const;
  void listen();
  void take_the_rest();
  void on_message(Text message);
  void set_paused(bool paused);
  void on_error(const Error& error);
  void on_close(const ExitStatus& status);
  void on_output_failed(int error);
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
  ByteReader in_;
  ByteWriter out_;
  ChildProcess child_;

  LineSplitter lines_;
  std::string_view line_;     // the line sent last
  bool input_ended_ = false;  // EOF, or no more input is wanted
  bool eof_ = false;
  // send() returned false: "drain" or an error will follow.
  bool held_ = false;

  bool paused_ = false;  // the reader of our stdout is slow
  std::size_t sent_ = 0;
  std::size_t received_ = 0;
  Clock::time_point last_event_ = Clock::now();
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
  child_.on<"drain">([this] {
    held_ = false;
    send_lines();
  });
  child_.on<"error">([this](const Error& error) { on_error(error); });
  child_.on<"disconnect">([this] {
    input_ended_ = true;
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

void Run::on_input(std::string_view bytes) {
  lines_.add(bytes);
  eof_ = bytes.empty();
  if (eof_) lines_.end();
  if (!held_) send_lines();
}

void Run::send_lines() {
  while (!input_ended_ && !held_) {
    const auto line = lines_.next();
    if (!line) break;
    if (line->find_first_not_of(" \t") == line->npos) continue;
    line_ = *line;
    ++sent_;
    held_ = !child_.send(Text{line_});
  }
  last_event_ = Clock::now();
  if (input_ended_ || held_) return;
  if (lines_.pending() > longest_line) {
    lines_.end();
    lines_.next();
    bad_line(longest_line, "the line is too long");
    return on_input_end();
  }
  if (eof_) return on_input_end();
  in_.more();
}

void Run::on_refused(const Error& error) {
  held_ = false;
  --sent_;
  bad_line(column_of(line_, error.offset().value_or(0)), error.what());
  if (options_.keep_going) return send_lines();
  on_input_end();
}

void Run::bad_line(std::size_t column, std::string_view reason) {
  std::fprintf(stderr, "tine: stdin, line %zu, column %zu: %.*s\n", lines_.number(), column,
               static_cast<int>(reason.size()), reason.data());
  if (!options_.keep_going) forced_status_ = status::bad_data;
}

void Run::on_input_end() {
  if (std::exchange(input_ended_, true)) return;
  if (!options_.wait || forced_status_) look_for_silence_later();
}

// After disconnect() the child cannot reply, so it is disconnected only once it has been silent for
// a while.
void Run::look_for_silence() {
  if (!child_.connected()) return;
  const Channel channel = child_.channel();
  if (paused_ || channel.queued_bytes() > 0 || !channel.peer_has_read_all())
    last_event_ = Clock::now();
  const auto silent = std::chrono::duration_cast<milliseconds>(Clock::now() - last_event_);
  if (silent >= patience()) return child_.disconnect();
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

milliseconds Run::patience() const {
  if (options_.linger) return *options_.linger;
  const bool answered = received_ > 0 && received_ >= sent_;
  return answered ? silence_when_all_answered : silence_when_not;
}

void Run::on_message(Text message) {
  ++received_;
  last_event_ = Clock::now();
  if (options_.quiet) return;
  bool more = true;
  if (style_.pretty || style_.color) {
    // A text that the channel accepts, but this parser does not, is shown as it is.
    const auto value = nlohmann::ordered_json::parse(message.json, nullptr, false);
    more = out_.write(value.is_discarded() ? std::string(message.json) : print_json(value, style_));
  } else {
    more = out_.write(message.json);
  }
  more = out_.write("\n") && more;
  if (!more && child_.channel().open()) set_paused(true);
}

void Run::set_paused(bool paused) {
  paused_ = paused;
  last_event_ = Clock::now();
  paused ? child_.channel().pause() : child_.channel().resume();
}

void Run::on_error(const Error& error) {
  if (held_ && error.code() == Errc::invalid_value) return on_refused(error);
  if (!child_.pid()) {
    forced_status_ = error.code() == std::errc::no_such_file_or_directory ? status::not_found
                                                                          : status::not_executable;
  }
  const bool expected = forced_status_ == status::closed_output || signals_seen_ > 0;
  if (!expected) std::fprintf(stderr, "tine: %s\n", error.what());
}

void Run::on_close(const ExitStatus& status) {
  input_ended_ = true;
  status_ = forced_status_.value_or(shell_status(status));
  if (paused_) return loop_.post([this] { take_the_rest(); });
  out_.finish();
}

// Delivers the messages that came while stdout was full. They need a new listener, because "close"
// drops the old ones. Their size is bounded, so there is no need to pause any more.
void Run::take_the_rest() {
  listen();
  child_.channel().resume();
  loop_.post([this] { out_.finish(); });
}

// Ends the child. EPIPE is not reported: it only means that the reader of stdout has gone.
void Run::on_output_failed(int error) {
  constexpr milliseconds grace{1000};
  forced_status_ = status::closed_output;
  if (error != EPIPE) {
    forced_status_ = status::io_error;
    std::fprintf(stderr, "tine: stdout: %s\n", std::generic_category().message(error).c_str());
  }
  input_ended_ = true;
  set_paused(false);
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
