#include "command/run/input.hpp"

#include <cstdio>
#include <utility>

#include "command/shared/status.hpp"

namespace tine::command {

namespace {

constexpr std::size_t longest_line = std::size_t{256} << 20;

}  // namespace

Input::Input(Loop& loop, bool keep_going, Silence& silence, Ended ended)
    : stdin_(standard_input(loop)),
      keep_going_(keep_going),
      silence_(silence),
      ended_(std::move(ended)) {}

// The child keeps the loop running, not a writer of stdin that writes nothing.
void Input::start(ChildProcess child) {
  child_ = std::move(child);
  stdin_.unref();
  stdin_.on<"data">([this](std::string_view bytes) {
    lines_.add(bytes);
    send_lines();
  });
  stdin_.on<"end">([this] {
    lines_.end();
    if (state_ == State::open) state_ = State::at_eof;
    send_lines();
  });
  stdin_.on<"error">([this](const Error& error) {
    std::fprintf(stderr, "tine: stdin: %s\n", error.code().message().c_str());
    end(status::io_error);
  });
}

void Input::stop() {
  state_ = State::ended;
  stdin_.destroy();
}

void Input::end(int status) {
  if (state_ == State::ended) return;
  stop();
  ended_(status);
}

void Input::send_lines() {
  while (state_ != State::ended && !held_ && send_line()) {
  }
  silence_.interrupt();
  if (state_ == State::ended) return;
  if (held_) return stdin_.pause();
  if (lines_.pending() > longest_line) {
    lines_.end();
    lines_.next();
    bad_line(longest_line, "the line is too long");
    return end(keep_going_ ? status::ok : status::bad_data);
  }
  if (state_ == State::at_eof) return end(status::ok);
  stdin_.resume();
}

// Sends the next line. Returns false if there is none.
bool Input::send_line() {
  const auto line = lines_.next();
  if (!line) return false;
  if (line->find_first_not_of(" \t") == line->npos) return true;
  line_ = *line;
  silence_.message_sent();
  held_ = !child_.send(Text{line_});
  return true;
}

void Input::on_drain() {
  held_ = false;
  send_lines();
}

bool Input::on_error(const Error& error) {
  if (!held_ || error.code() != Errc::invalid_value) return false;
  held_ = false;
  silence_.message_refused();
  bad_line(column_of(line_, error.offset().value_or(0)), error.what());
  if (keep_going_) {
    send_lines();
  } else {
    end(status::bad_data);
  }
  return true;
}

void Input::bad_line(std::size_t column, std::string_view reason) {
  std::fprintf(stderr, "tine: stdin, line %zu, column %zu: %.*s\n", lines_.number(), column,
               static_cast<int>(reason.size()), reason.data());
}

}  // namespace tine::command
