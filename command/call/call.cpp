#include "command/call/call.hpp"

#include <chrono>
#include <cstdio>
#include <string_view>
#include <system_error>
#include <utility>

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "command/call/params.hpp"
#include "command/shared/json_print.hpp"
#include "command/shared/json_text.hpp"
#include "command/shared/output.hpp"
#include "command/shared/status.hpp"
#include "tine/loop.hpp"
#include "tine/rpc.hpp"
#include "tine/text.hpp"

namespace tine::command {

namespace {

void print_error(const std::string& text) { std::fprintf(stderr, "tine: %s\n", text.c_str()); }

void print_line(std::string_view text) {
  std::fprintf(stderr, "%.*s\n", static_cast<int>(text.size()), text.data());
}

class OneCall {
 public:
  explicit OneCall(const CallOptions& options)
      : options_(options),
        style_{options.pretty, use_color(options.color, STDOUT_FILENO)},
        job_(loop_, options.job, [this] { call_.cancel(); }),
        output_(loop_, standard_output(loop_),
                {.full = [] {},
                 .drained = [] {},
                 .failed =
                     [this](const Error& error) {
                       status_ = output_status(error);
                       child_.disconnect();
                     }}) {}

  int run(const nlohmann::json& params) {
    child_ = job_.start();
    listen();
    // A child that has died may take a while to be reported on a busy machine.
    const Rpc rpc(child_, {.exit_patience = std::chrono::seconds(1)});
    options_.notify ? notify(rpc, params) : request(rpc, params);
    loop_.run();
    constexpr int signalled = 128;
    if (job_.signals() > 0) return signalled + job_.first_signal();
    return status_.value_or(status::failed);
  }

 private:
  void listen();
  void request(const Rpc& rpc, const nlohmann::json& params);
  void notify(const Rpc& rpc, const nlohmann::json& params);
  void print(const nlohmann::json& result);
  int report(const RpcError& error) const;
  void finish(int status);

  const CallOptions& options_;
  Loop loop_;
  PrintStyle style_;
  ChildJob job_;
  Output output_;
  ChildProcess child_;
  Call call_;
  std::optional<int> status_;
};

// What the child sends beside the answer is shown, so that one sees what it does instead of answering.
void OneCall::listen() {
  child_.on<"message">([](Text message) { print_line(message.json); });
  child_.on<"error">([this](const Error& error) {
    if (!child_.pid()) status_ = start_status(error);
    if (job_.signals() == 0) print_error(error.what());
  });
  child_.on<"disconnect">([this] { job_.stop_later(); });
}

void OneCall::request(const Rpc& rpc, const nlohmann::json& params) {
  auto request = rpc.request(options_.method, params).on_progress([](const nlohmann::json& value) {
    print_line(print_json(as_text(value), {}));
  });
  if (options_.within) static_cast<void>(std::move(request).within(*options_.within));
  call_ = std::move(request).then([this](const Result<>& result) {
    if (result) print(*result);
    finish(result ? status::ok : report(result.error()));
  });
}

void OneCall::notify(const Rpc& rpc, const nlohmann::json& params) {
  rpc.notify(options_.method, params, [this](std::error_code error) {
    if (error && child_.pid()) print_error("the notification cannot be sent: " + error.message());
    finish(error == Errc::invalid_value ? status::bad_data
           : error                      ? status::no_answer
                                        : status::ok);
  });
}

void OneCall::print(const nlohmann::json& result) {
  const auto* const text = result.get_ptr<const std::string*>();
  const bool raw = options_.raw && text != nullptr;
  output_.write((raw ? *text : print_json(as_text(result), style_)) + "\n");
}

// Returns the status for an error. It is silent about one that the user knows: a signal has cancelled
// the request, or an "error" says that the child could not be started.
int OneCall::report(const RpcError& error) const {
  if (!child_.pid() || job_.signals() > 0) return status::failed;
  const std::string child = "the child (pid " + std::to_string(*child_.pid()) + ")";
  if (error.code() == Errc::timed_out) {
    print_error(child + " has not answered within " + std::to_string(options_.within->count()) +
                " ms");
    return status::timed_out;
  }
  if (error.code() == Errc::channel_closed) {
    const auto end = error.exit_status();
    print_error(child + (end ? " has ended without an answer: " + to_string(*end)
                             : " has disconnected without an answer"));
    return status::no_answer;
  }
  if (error.code() == Errc::invalid_value) {
    print_error("the request cannot be sent: " + std::string(error.what()));
    return status::bad_data;
  }
  const int code = error.remote_code();
  print_error(options_.method + " has failed: " + error.what() +
              (code != 0 ? " (code " + std::to_string(code) + ")" : ""));
  if (!error.data().is_null()) print_error("data: " + print_json(as_text(error.data()), {}));
  return status::failed;
}

// The first status counts: a child that could not be started has set it.
void OneCall::finish(int status) {
  if (!status_) status_ = status;
  child_.disconnect();
}

}  // namespace

int call(const CallOptions& options) {
  nlohmann::json params;
  if (options.params) {
    const bool in_stdin = *options.params == "-";
    std::string text = *options.params;
    try {
      if (in_stdin) text = read_stdin();
    } catch (const std::system_error& error) {
      print_error("stdin: " + error.code().message());
      return status::io_error;
    }
    if (!parse_json(text, in_stdin ? "stdin" : "PARAMS", params)) return status::bad_data;
  }
  return OneCall(options).run(params);
}

}  // namespace tine::command
