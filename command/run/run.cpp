#include "command/run/run.hpp"

#include <csignal>
#include <cstdio>
#include <utility>

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "command/run/input.hpp"
#include "command/run/silence.hpp"
#include "command/shared/child_job.hpp"
#include "command/shared/json_print.hpp"
#include "command/shared/output.hpp"
#include "command/shared/status.hpp"
#include "tine/loop.hpp"

namespace tine::command {

namespace {

using std::chrono::milliseconds;

class Run {
 public:
  explicit Run(const RunOptions& options)
      : options_(options),
        style_{options.pretty, use_color(options.color, STDOUT_FILENO)},
        job_(loop_, options.job),
        silence_(options.linger),
        input_(loop_, options.keep_going, silence_, [this](int status) { on_input_end(status); }),
        output_(loop_, options.quiet ? Stream() : standard_output(loop_),
                {.full = [this] { pause_child(); },
                 .drained = [this] { resume_child(); },
                 .failed = [this](const Error& error) { on_output_failed(error); }}) {}

  int run() {
    fork_child();
    input_.start(child_);
    loop_.run();
    return forced_status_.value_or(status_);
  }

 private:
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
  void stop_child_later();

  const RunOptions& options_;
  Loop loop_;
  PrintStyle style_;
  ChildJob job_;
  Silence silence_;
  Input input_;
  Output output_;
  ChildProcess child_;

  std::optional<int> forced_status_;
  int status_ = 0;
};

void Run::fork_child() {
  child_ = job_.start();
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

void Run::stop_child_later() {
  if (!options_.wait || forced_status_) job_.stop_later();
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
  if (!child_.pid()) forced_status_ = start_status(error);
  const bool expected = forced_status_ == status::closed_output || job_.signals() > 0;
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

// Ends the child.
void Run::on_output_failed(const Error& error) {
  constexpr milliseconds grace{1000};
  forced_status_ = output_status(error);
  input_.stop();
  resume_child();
  child_.kill(SIGTERM);
  job_.kill_later(grace);
}

}  // namespace

int run(const RunOptions& options) { return Run(options).run(); }

}  // namespace tine::command
